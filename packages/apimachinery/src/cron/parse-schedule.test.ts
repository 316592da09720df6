import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CronError, parseSchedule } from './parse-schedule.ts';

function cronProblem(schedule: string): string | undefined {
  try {
    parseSchedule(schedule);
    return undefined;
  } catch (error) {
    if (!(error instanceof CronError)) throw error;
    return error.message;
  }
}

const good = [
  '* * * * *',
  '*/7 0-6 1,15 jan-MAR mon',
  '  5   4  * *  sun ',
  '3/10 ? * * ?',
  '@daily',
  '@every 1h30m',
  'TZ=UTC 0 5 * * *',
  'CRON_TZ=Europe/Vienna @hourly',
];

for (const schedule of good) {
  test(`schedule ${JSON.stringify(schedule)} is good`, () => {
    assert.equal(cronProblem(schedule), undefined);
  });
}

const bad: readonly (readonly [schedule: string, problem: string])[] = [
  ['', 'empty spec string'],
  ['* * *', 'expected exactly 5 fields, found 3: [* * *]'],
  ['a * * * *', 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
  ['60 * * * *', 'end of range (60) above maximum (59): 60'],
  ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
  ['* * * * 7', 'end of range (7) above maximum (6): 7'],
  ['9-5 * * * *', 'beginning of range (9) beyond end of range (5): 9-5'],
  ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
  ['1/2/3 * * * *', 'too many slashes: 1/2/3'],
  ['*/0 * * * *', 'step of range should be a positive number: */0'],
  ['-1 * * * *', 'failed to parse int from : strconv.Atoi: parsing "": invalid syntax'],
  ['@noon', 'unrecognized descriptor: @noon'],
  ['@every soon', 'failed to parse duration @every soon: time: invalid duration "soon"'],
  [
    'TZ=Nowhere/Land * * * * *',
    'provided bad location Nowhere/Land: unknown time zone Nowhere/Land',
  ],
];

for (const [schedule, problem] of bad) {
  test(`schedule ${JSON.stringify(schedule)} is refused`, () => {
    assert.equal(cronProblem(schedule), problem);
  });
}
