// The far end of `bench soak`, in a process of its own.
import { createLog } from '#platform/log.ts';
import { openSoakCallees } from './soak-callees.ts';

const [seed, firstPort, longestMs] = process.argv.slice(2).map(Number) as [number, number, number];
const callees = await openSoakCallees({ seed, firstPort, longestMs, log: createLog({ level: 'error' }) });
process.on('message', () => process.send!(callees.counts));
process.once('disconnect', () => void callees.close());
process.send!({ port: callees.port });
