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
import type { Repeater, SessionHooks } from './session.ts';
import { SessionMedia } from './session-media.ts';

/** A 2xx that was acknowledged. */
export interface Acknowledged {
  readonly remoteTag: string;
  /** Sends the very same ACK. */
  readonly repeater: Repeater;
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
 * that of another fork ACK and BYE. It holds no message: of its INVITE only what these requests repeat.
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
      readonly acknowledged: readonly Acknowledged[];
    },
  ) {
    this.#context = context;
    // An array that grew has room for more.
    this.#acknowledged = rest.acknowledged.slice();
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
    if (known !== undefined) return known.repeater.again();
    const dialog = dialogOfResponse(this.#invite(response), response);
    if (dialog === undefined) return;
    const session = new CallSession(this.#context, {
      dialog,
      owner: true,
      contact: contactOf(this.#context.transports.choose({ host: '', port: 0 })),
      media: new SessionMedia(undefined),
      digest: this.#digest,
      hooks: NOBODY,
    });
    session.confirm(response);
    const repeater = session.acknowledge(this.#sequence, this.#authorization);
    this.#acknowledged = [...this.#acknowledged, { remoteTag, repeater }];
    session.bye();
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
