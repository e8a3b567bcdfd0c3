/** Words for `setpriv`: the kernel kills what follows when this process ends, however it ends. */
export const endsWithThis = ["--pdeathsig", "KILL", "--"];
