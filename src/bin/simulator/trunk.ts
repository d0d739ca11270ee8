import { completeTrunk } from '#platform/config/config.ts';
import type { TrunkConfig } from '#platform/config/config.ts';
import { SAMPLE_CALLER, SAMPLE_TRUNK } from '../sample/campaign.ts';

/** The trunk to a simulator that runs beside the platform. */
export function simulatorTrunk(address: { readonly address: string; readonly port: number }): TrunkConfig {
  return completeTrunk({
    name: SAMPLE_TRUNK,
    host: address.address,
    port: address.port,
    transport: 'udp',
    channels: 400,
    callsPerSecond: 50,
    callerNumbers: [SAMPLE_CALLER],
  });
}
