import { dialogOfResponse } from '../dialogs/dialog.ts';
import { detached } from '../messages/grammar.ts';
import type { HeaderField } from '../messages/headers.ts';
import { tagOf } from '../messages/message.ts';
import type { SipRequest, SipResponse } from '../messages/message.ts';
import { buildRequest } from '../messages/write.ts';
import type { LateResponses } from '../transactions/lingering-client.ts';
import { contactOf, newVia } from './agent-context.ts';
import type { AgentContext } from './agent-context.ts';
import type { DigestClient } from './digest.ts';
import { CallSession } from './session.ts';
import type { Acknowledgement, SessionHooks } from './session.ts';
import { SessionMedia } from './session-media.ts';

/** What an ACK takes that a repeated 2xx does not tell. */
interface Acknowledged {
  readonly remoteTag: string;
  readonly branch: string;
  readonly sdp: string | undefined;
}

const NOBODY: SessionHooks = {
  onDtmf: () => undefined,
  onMediaChanged: () => undefined,
  onTransferRequested: undefined,
  onEnded: () => undefined,
  onReleased: () => undefined,
};

/**
 * What a call leaves behind when it is over, until timer M ends (RFC 3261 §13.2.2.4): a repeated 2xx gets its ACK again,
 * that of another fork ACK and BYE. It holds no message: what these requests
 * repeat of the INVITE, and what the ACK of a repeated 2xx does not find in that.
 */
export class LateAnswers implements LateResponses {
  readonly #context: AgentContext;
  #acknowledged: readonly Acknowledged[];
  readonly #digest: DigestClient;
  readonly #authorization: readonly HeaderField[];
  readonly #uri: string;
  readonly #from: string;
  readonly #callId: string;
  readonly #sequence: number;

  constructor(
    context: AgentContext,
    invite: SipRequest,
    rest: {
      readonly digest: DigestClient;
      readonly authorization: readonly HeaderField[];
      readonly acks: ReadonlyMap<string, Acknowledgement>;
    },
  ) {
    this.#context = context;
    this.#acknowledged = Array.from(rest.acks, ([remoteTag, { branch, sdp }]) => ({
      remoteTag: detached(remoteTag),
      branch,
      sdp,
    }));
    this.#digest = rest.digest;
    this.#authorization = rest.authorization;
    this.#uri = invite.uri;
    this.#from = detached(invite.headers.get('From') ?? '');
    this.#callId = invite.callId;
    this.#sequence = invite.cseq.sequence;
  }

  onResponse(response: SipResponse): void {
    const remoteTag = tagOf(response.to) ?? '';
    const known = this.#acknowledged.find((one) => one.remoteTag === remoteTag);
    const session = this.#sessionOf(response);
    if (session === undefined) return;
    if (known === undefined) session.confirm(response);
    const ack = session.acknowledge(this.#sequence, this.#authorization, known?.sdp, known?.branch);
    if (known !== undefined) return;
    this.#acknowledged = [
      ...this.#acknowledged,
      { remoteTag: detached(remoteTag), branch: ack.branch, sdp: undefined },
    ];
    session.bye();
  }

  #sessionOf(response: SipResponse): CallSession | undefined {
    const dialog = dialogOfResponse(this.#invite(response), response);
    if (dialog === undefined) return undefined;
    return new CallSession(this.#context, {
      dialog,
      owner: true,
      contact: contactOf(this.#context.transports.choose({ host: '', port: 0 })),
      media: new SessionMedia(undefined),
      digest: this.#digest,
      hooks: NOBODY,
    });
  }

  #invite(response: SipResponse): SipRequest {
    return buildRequest('INVITE', this.#uri, [
      ['Via', newVia(this.#context)],
      ['From', this.#from],
      ['To', response.headers.get('To') ?? ''],
      ['Call-ID', this.#callId],
      ['CSeq', `${this.#sequence} INVITE`],
    ]);
  }
}
