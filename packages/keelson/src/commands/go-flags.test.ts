import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeFlags, parseGoFlags, type FlagDefinition } from './go-flags.ts';

const flags: readonly FlagDefinition[] = [
  { name: 'allow', type: 'bool', usage: 'lets' },
  { name: 'anonymous-auth', type: 'bool', default: 'true', usage: 'anonymous' },
  { name: 'port', type: 'int', default: '6443', usage: 'where' },
  { name: 'modes', type: 'strings', usage: 'how' },
  { name: 'issuer', type: 'stringArray', usage: 'who' },
  { name: 'wait', type: 'duration', default: '1m0s', usage: 'how long' },
  { name: 'v', type: 'int', shorthand: 'v', default: '0', usage: 'how much' },
];

describe('flags', () => {
  const rows: readonly [
    string,
    readonly string[],
    (v: ReturnType<typeof parseGoFlags>) => unknown,
    unknown,
  ][] = [
    ['a value after =', ['--port=1'], (v) => v.number('port'), 1],
    ['a value in the next word', ['--port', '1'], (v) => v.number('port'), 1],
    ['the last one counts', ['--port=1', '--port=2'], (v) => v.number('port'), 2],
    ['a default', [], (v) => v.number('port'), 6443],
    ['underscores', ['--anonymous_auth=false'], (v) => v.bool('anonymous-auth'), false],
    ['a switch', ['--allow'], (v) => v.bool('allow'), true],
    [
      'a switch takes no next word',
      ['--allow', 'false'],
      (v) => [v.bool('allow'), v.positional],
      [true, ['false']],
    ],
    ['lists add up', ['--modes=a,b', '--modes=c'], (v) => v.list('modes'), ['a', 'b', 'c']],
    [
      'an array keeps commas',
      ['--issuer=a,b', '--issuer=c'],
      (v) => v.list('issuer'),
      ['a,b', 'c'],
    ],
    ['a duration', ['--wait=1m30s'], (v) => v.durationMs('wait'), 90_000],
    ['a letter', ['-v2'], (v) => v.number('v'), 2],
    ['a letter and =', ['-v=3'], (v) => v.number('v'), 3],
    ['a letter and a word', ['-v', '4'], (v) => v.number('v'), 4],
    ['what comes after --', ['--', '--port=1'], (v) => v.positional, ['--port=1']],
    ['which were given', ['--port=1', '-v2'], (v) => v.given(), ['port', 'v']],
    [
      'what was not given',
      [],
      (v) => [v.isSet('modes'), v.text('modes'), v.list('modes')],
      [false, undefined, []],
    ],
  ];
  for (const [what, argv, read, expected] of rows)
    it(what, () => assert.deepEqual(read(parseGoFlags(flags, argv)), expected));

  const refused: readonly [readonly string[], string][] = [
    [['--nope'], 'unknown flag: --nope'],
    [['--nope=1'], 'unknown flag: --nope'],
    [['-x'], "unknown shorthand flag: 'x' in -x"],
    [['--port'], 'flag needs an argument: --port'],
    [['-v'], "flag needs an argument: 'v' in -v"],
    [['--=1'], 'bad flag syntax: --=1'],
    [
      ['--port=x'],
      'invalid argument "x" for "--port" flag: strconv.ParseInt: parsing "x": invalid syntax',
    ],
    [
      ['--v=x'],
      'invalid argument "x" for "-v, --v" flag: strconv.ParseInt: parsing "x": invalid syntax',
    ],
    [
      ['--allow=maybe'],
      'invalid argument "maybe" for "--allow" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
    [['--wait=1'], 'invalid argument "1" for "--wait" flag: time: missing unit in duration "1"'],
  ];
  for (const [argv, message] of refused)
    it(`${argv.join(' ')} is refused`, () =>
      assert.throws(() => parseGoFlags(flags, argv), { name: 'FlagError', message }));

  it('help has a line per flag that begins with its name', () => {
    const help = describeFlags(flags);
    for (const { name } of flags) assert.match(help, new RegExp(`^\\s*(-\\w, )?--${name}\\b`, 'm'));
  });
});
