import { configureGlobal } from 'fast-check';

/** Property tests try the same cases every time; `PROPERTY_SEED=random` or a number looks for new ones. */
const wanted = process.env['PROPERTY_SEED'] ?? '20261120';
if (wanted !== 'random') configureGlobal({ seed: Number(wanted) });
