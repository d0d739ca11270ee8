import type { FastifyInstance } from 'fastify';
import { REFUSALS } from '#platform/admission.ts';
import type { ApiContext, NodeStatus } from '../context.ts';

interface Metric {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly values: readonly (readonly [labels: string, value: number])[];
}

/** The node's figures in the text format of Prometheus, for users and the local operator. */
export function metricsRoute(app: FastifyInstance, context: ApiContext): void {
  app.get(
    '/api/metrics',
    { schema: { tags: ['health'], summary: 'Load of this node, Prometheus text', produces: ['text/plain'] } },
    (_, reply) => reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8').send(render(context.node())),
  );
}

function render({ admission, load, refused, strangers, notOurs }: NodeStatus): string {
  const one = (value: number): Metric['values'] => [['', value]];
  const metrics: readonly Metric[] = [
    { name: 'waihu_calls', type: 'gauge', help: 'Calls that go on, both ways', values: one(load.calls) },
    {
      name: 'waihu_calls_capacity',
      type: 'gauge',
      help: 'Calls the media ports suffice for',
      values: one(load.capacity),
    },
    {
      name: 'waihu_accepts_calls',
      type: 'gauge',
      help: '1 while new calls are taken',
      values: one(admission.accepts ? 1 : 0),
    },
    {
      name: 'waihu_media_frame_lateness_seconds',
      type: 'gauge',
      help: 'Age of media frames when handled, 99th percentile of the worst call worker',
      values: one(load.frameLatenessMs / 1000),
    },
    {
      name: 'waihu_media_frames_given_up',
      type: 'gauge',
      help: 'Frames given up in the last second',
      values: one(load.framesDropped),
    },
    {
      name: 'waihu_worker_report_age_seconds',
      type: 'gauge',
      help: 'Age of the oldest worker report',
      values: one(load.reportAgeMs / 1000),
    },
    {
      name: 'waihu_event_loop_delay_seconds',
      type: 'gauge',
      help: 'Delay of the main event loop, 90th percentile of a second',
      values: one(load.loopDelayMs / 1000),
    },
    {
      name: 'waihu_inbound_refused_total',
      type: 'counter',
      help: 'INVITEs of peers refused with 503',
      values: REFUSALS.map((reason) => [`{reason="${reason}"}`, refused[reason] ?? 0]),
    },
    {
      name: 'waihu_inbound_unknown_number_total',
      type: 'counter',
      help: 'INVITEs for numbers not ours',
      values: one(notOurs),
    },
    {
      name: 'waihu_sip_strangers_total',
      type: 'counter',
      help: 'SIP requests of addresses not allowed',
      values: one(strangers),
    },
  ];
  return metrics
    .map(
      ({ name, type, help, values }) =>
        `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${values.map(([labels, value]) => `${name}${labels} ${value}\n`).join('')}`,
    )
    .join('');
}
