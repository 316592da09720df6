// Loaded into every test process: random cases are the same in every run, so that a change is
// judged by what it changes. KEELSON_TEST_SEED tries others: `KEELSON_TEST_SEED=$RANDOM npm test`.

import fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['KEELSON_TEST_SEED'] ?? 1) });
