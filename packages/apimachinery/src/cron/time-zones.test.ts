import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeZoneProblem } from './time-zones.ts';

for (const name of ['UTC', 'Europe/Vienna', 'America/Argentina/Ushuaia', 'Etc/GMT+5', 'EST5EDT']) {
  test(`${name} is a time zone`, () => assert.equal(timeZoneProblem(name), undefined));
}

for (const name of ['europe/vienna', 'Europe/VIENNA', '+01:00', 'Mars/Base', 'Europe/', '../x']) {
  test(`${name} is no time zone`, () => {
    assert.equal(timeZoneProblem(name), `unknown time zone ${name}`);
  });
}
