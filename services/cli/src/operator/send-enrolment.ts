import type { Api } from "@quorate/client/api";
import type { OperatorView } from "@quorate/protocol/operator-view";
import { textOf } from "@quorate/protocol/utf8";
import { signOperatorStatement } from "@quorate/signing/envelope";
import { enrolmentOf, loadJoinedNetwork, type OperatorIdentity, saveJoinedNetwork } from "@quorate/signing/operator-directory";
import { CommandError } from "../command-error.ts";

export type EnrolmentOptions = {
  directory: string;
  identity: OperatorIdentity;
  /** Of the network that is joined. */
  api: Api;
  invitation: string | undefined;
  signal: AbortSignal;
};

/**
 * Sends the operator's signed enrolment, and remembers the network with its key. Again for one that is enrolled: changes nothing, but for the
 * URL that the network has now.
 *
 * @throws CommandError when the operator has joined another network
 */
export async function sendEnrolment({ directory, identity, api, invitation, signal }: EnrolmentOptions): Promise<OperatorView> {
  const { networkKey } = await api.network({ signal });
  const joined = loadJoinedNetwork(directory);
  if (joined && joined.networkKey !== networkKey) {
    throw new CommandError(
      `enrolling at ${api.url}: this operator has joined the network at ${joined.url}, whose key is another one; an operator joins one network: make another with --operator DIRECTORY`,
    );
  }
  const envelope = textOf(await signOperatorStatement({ kind: "operator", predicate: enrolmentOf(identity) }, [identity.signer]));
  const view = await api.sendOperatorStatement({ envelope, invitation }, { signal });
  saveJoinedNetwork(directory, { url: api.url, networkKey });
  return view;
}
