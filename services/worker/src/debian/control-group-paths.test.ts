import { expect, test } from "vitest";
import { locateControlGroups } from "./control-group-paths.ts";

test("finds the directories of both controllers of version 1", () => {
  const mountinfo = [
    "25 20 0:5 / /dev rw,nosuid - devtmpfs udev rw,size=1k",
    "35 28 0:31 / /sys/fs/cgroup/memory rw,relatime shared:3 - cgroup cgroup rw,memory",
    "36 28 0:32 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids",
  ].join("\n");
  expect(locateControlGroups(mountinfo, "8:pids:/\n4:memory:/user/one\n0::/\n")).toEqual({
    memory: "/sys/fs/cgroup/memory/user/one",
    pids: "/sys/fs/cgroup/pids",
  });
});

test("finds the one directory of version 2", () => {
  const mountinfo = "30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate";
  expect(locateControlGroups(mountinfo, "0::/system.slice/worker.service\n")).toEqual({
    unified: "/sys/fs/cgroup/system.slice/worker.service",
  });
});

test("leaves out the mount's root where only a container's own group is mounted", () => {
  const mountinfo = "35 28 0:31 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory";
  expect(locateControlGroups(mountinfo, "4:memory:/docker/abc/inner\n")).toEqual({ memory: "/sys/fs/cgroup/memory/inner" });
  expect(locateControlGroups(mountinfo, "4:memory:/elsewhere\n")).toEqual({});
});

test("finds nothing where no control group is mounted", () => {
  expect(locateControlGroups("25 20 0:5 / /dev rw - devtmpfs udev rw\n", "0::/\n")).toEqual({});
});
