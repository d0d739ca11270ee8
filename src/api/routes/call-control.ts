import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { CallBridgeView, ListenRequest, TransferBody } from '#domain/api.ts';
import { LISTENER_ROLES, maskTarget, TRANSFER_FAILURES, TRANSFER_KINDS } from '#domain/transfer.ts';
import type { ListenerRole } from '#domain/transfer.ts';
import type { CallControl } from '#calls/bridge/call-bridge.ts';
import type { OperatorHangUp } from '#calls/call-side.ts';
import { audit } from '#compliance/audit.ts';
import { AppError } from '#platform/error.ts';
import { actorOf, requireRole } from '../auth.ts';
import type { User } from '../users.ts';
import type { ApiContext } from '../context.ts';
import { answers, idParams, oneOf, orNull, text, uuid } from '../schema/basic.ts';
import { transferRecord } from '../schema/call.ts';

const tags = ['calls'];
const target = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'A number, with + in international form and without as the trunk takes it, or a SIP URI',
});
const role = oneOf(LISTENER_ROLES);
const listenerParams = Type.Object({ id: uuid, listener: uuid });
const bridgeView = Type.Object({
  transfer: orNull(
    Type.Object({ kind: oneOf(TRANSFER_KINDS), target: text, state: oneOf(['calling', 'connected'] as const) }),
  ),
  listeners: Type.Array(Type.Object({ id: uuid, target: text, role, state: oneOf(['calling', 'listening'] as const) })),
  lastTransfer: orNull(transferRecord),
  failedListener: orNull(Type.Object({ id: uuid, target: text, reason: oneOf(TRANSFER_FAILURES) })),
});
const closed = { additionalProperties: false } as const;

type OfCall = { Params: { id: string } };
type OfListener = { Params: { id: string; listener: string } };

/** Calls under way: hand them over, listen in, end them. Everything is for operators and goes into the audit log. */
export function callControlRoutes(app: FastifyInstance, context: ApiContext): void {
  const { db } = context;

  /** The call and who acts on it. */
  const act = (request: FastifyRequest<OfCall>): { readonly control: CallControl; readonly user: User } => {
    const user = requireRole(request, 'operator');
    return { control: controlOf(context, request.params.id), user };
  };
  /**
   * Writes down who is about to do what, then does it: what a crash cuts off has left its trace, and nobody listens in
   * unrecorded. Where the call does not allow it, a second entry says so.
   */
  const recorded = async <Result>(
    { user }: { readonly user: User },
    action: string,
    subject: string,
    detail: Readonly<Record<string, unknown>>,
    run: () => Result,
  ): Promise<Result> => {
    const actor = actorOf(user);
    await audit(db, { actor, action, subject, detail });
    try {
      return run();
    } catch (error) {
      const reason = error instanceof AppError ? error.code : 'internal';
      await audit(db, { actor, action: `${action}-refused`, subject, detail: { reason } });
      throw error;
    }
  };

  app.get<OfCall>(
    '/api/calls/:id/bridge',
    {
      schema: {
        tags,
        summary: 'Who takes part in a call under way beside callee and script',
        params: idParams,
        response: answers({ 200: bridgeView }),
      },
    },
    async (request): Promise<CallBridgeView> => viewOf(act(request).control),
  );

  app.post<OfCall & { Body: TransferBody }>(
    '/api/calls/:id/transfer',
    {
      schema: {
        tags,
        summary: 'Hand a call over; what becomes of it is told by the bridge and the timeline',
        params: idParams,
        body: Type.Object({ kind: oneOf(TRANSFER_KINDS), target, release: Type.Optional(Type.Boolean()) }, closed),
        response: answers({ 202: bridgeView }),
      },
    },
    async (request, reply) => {
      const acting = act(request);
      const { kind, target: to, release = false } = request.body;
      const detail = { kind, target: maskTarget(to), release };
      await recorded(acting, 'call.transfer', request.params.id, detail, () =>
        acting.control.transfer({ kind, target: to, release }, actorOf(acting.user)),
      );
      return reply.status(202).send(viewOf(acting.control));
    },
  );

  app.delete<OfCall>(
    '/api/calls/:id/transfer',
    {
      schema: {
        tags,
        summary: 'Hang the target up or stop calling it; the script goes on',
        params: idParams,
        response: answers({ 200: bridgeView }),
      },
    },
    async (request): Promise<CallBridgeView> => {
      const acting = act(request);
      await recorded(acting, 'call.transfer-end', request.params.id, {}, () => acting.control.endTransfer());
      return viewOf(acting.control);
    },
  );

  app.post<OfCall>(
    '/api/calls/:id/hang-up',
    {
      schema: {
        tags,
        summary: 'End a call that rings or talks, for everybody who takes part; its record tells who did',
        params: idParams,
        response: answers({ 202: Type.Object({ id: uuid }) }),
      },
    },
    async (request, reply) => {
      const user = requireRole(request, 'operator');
      const { id } = request.params;
      const hangUp = hangUpOf(context, id);
      await recorded({ user }, 'call.hang-up', id, {}, () => hangUp(actorOf(user)));
      return reply.status(202).send({ id });
    },
  );

  app.post<OfCall & { Body: ListenRequest }>(
    '/api/calls/:id/monitor',
    {
      schema: {
        tags,
        summary: 'Call somebody who then listens in: unheard, heard by the agent alone, or heard by all',
        params: idParams,
        body: Type.Object({ target, role }, closed),
        response: answers({ 202: Type.Object({ id: uuid }) }),
      },
    },
    async (request, reply) => {
      const acting = act(request);
      const { target: to, role: as } = request.body;
      const detail = { role: as, target: maskTarget(to) };
      const id = await recorded(acting, 'call.listen', request.params.id, detail, () =>
        acting.control.listen(request.body, actorOf(acting.user)),
      );
      return reply.status(202).send({ id });
    },
  );

  app.patch<OfListener & { Body: { role: ListenerRole } }>(
    '/api/calls/:id/monitor/:listener',
    {
      schema: {
        tags,
        summary: 'Change the role of somebody who listens in',
        params: listenerParams,
        body: Type.Object({ role }, closed),
        response: answers({ 200: bridgeView }),
      },
    },
    async (request): Promise<CallBridgeView> => {
      const acting = act(request);
      const { id, listener } = request.params;
      const { role } = request.body;
      await recorded(acting, 'call.listen-role', id, { listener, role }, () => acting.control.setRole(listener, role));
      return viewOf(acting.control);
    },
  );

  app.delete<OfListener>(
    '/api/calls/:id/monitor/:listener',
    {
      schema: {
        tags,
        summary: 'Hang up somebody who listens in',
        params: listenerParams,
        response: answers({ 200: bridgeView }),
      },
    },
    async (request): Promise<CallBridgeView> => {
      const acting = act(request);
      const { id, listener } = request.params;
      await recorded(acting, 'call.listen-end', id, { listener }, () => acting.control.endListener(listener));
      return viewOf(acting.control);
    },
  );
}

function controlOf(context: ApiContext, id: string): CallControl {
  const control = context.callControl(id);
  if (control !== undefined) return control;
  throw new AppError('not-found', {
    zh: '这通电话现在没有在通话，无法转接或监听。',
    en: 'Nobody talks on this call now, so it can be neither transferred nor listened to.',
  });
}

function hangUpOf(context: ApiContext, id: string): OperatorHangUp {
  const hangUp = context.operatorHangUp(id);
  if (hangUp !== undefined) return hangUp;
  throw new AppError('not-found', {
    zh: '这通电话现在没有在进行，无法挂断：可能已经结束。',
    en: 'This call is not under way now, so it cannot be hung up: it may be over.',
  });
}

function viewOf({ view }: CallControl): CallBridgeView {
  return {
    transfer: view.transfer ?? null,
    listeners: view.listeners,
    lastTransfer: view.lastTransfer ?? null,
    failedListener: view.failedListener ?? null,
  };
}
