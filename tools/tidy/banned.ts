// What source and documents may not contain, why, and what to write instead. `banned.test.ts`
// applies every rule to every file and checks that each rule still finds what it is for.

export interface BannedRule {
  /** What is reported: "`Date.now` is banned here, take a `Clock`". */
  readonly name: string;
  readonly pattern: RegExp;
  readonly instead: string;
  readonly files: (path: string) => boolean;
  /** Whether it holds for tests too. */
  readonly inTests?: boolean;
  /** Files that may, each with its reason. One that does not need it fails the test. */
  readonly except?: Readonly<Record<string, string>>;
  /** A line that the rule must find. */
  readonly example: string;
}

const isSource = (path: string) => path.endsWith('.ts');
const isProduct = (path: string) => path.startsWith('packages/') && isSource(path);
const isText = () => true;
const isDocument = (path: string) => path.endsWith('.md');
// Written in two halves, so that this file does not contain what it bans.
const joined = (...halves: readonly string[]) => halves.join('');

/** Apply to every line of every file that is not generated. */
export const bannedText: readonly BannedRule[] = [
  {
    name: 'the machine’s clock',
    pattern: /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b/,
    instead: 'take a `Clock` (@keelson/apimachinery)',
    files: isProduct,
    except: { 'packages/apimachinery/src/clock.ts': 'is the clock' },
    example: 'const now = Date.now();',
  },
  {
    name: 'a timer',
    pattern: /\bset(?:Timeout|Interval)\(/,
    instead: 'take a `Clock` and use its `after`',
    files: isProduct,
    except: {
      'packages/apimachinery/src/clock.ts': 'is the clock',
      'packages/apiserver/src/transport/listener.ts':
        'sockets say goodbye in real time, whatever time the server simulates',
    },
    example: 'setTimeout(run, 10);',
  },
  {
    name: 'chance',
    pattern: /\bMath\.random\b|\bcrypto\.randomUUID\b|\brandomUUID\(/,
    instead: 'take a `Random` (@keelson/apimachinery)',
    files: isProduct,
    example: 'const uid = crypto.randomUUID();',
  },
  {
    name: 'node:crypto',
    pattern: /from 'node:crypto'/,
    instead: 'ask authentication/ or storage/encryption/ for what is needed, or take a `Random`',
    files: (path) =>
      isProduct(path) &&
      !path.startsWith('packages/apiserver/src/authentication/') &&
      !path.startsWith('packages/apiserver/src/storage/encryption/'),
    except: {
      'packages/apimachinery/src/random.ts': 'is where chance comes from',
      'packages/apiserver/src/endpoints/content-hash.ts':
        'hashes public documents for their ETag, which clients compare',
      'packages/apiserver/src/admission/manifests/manifest-hash.ts':
        'tells sets of manifests apart, for metrics and for when to read them again',
      'packages/controllers/src/volumes/attachments.ts':
        'names attachments as kubelets expect them, by a hash that protects nothing',
    },
    example: "import { createHash } from 'node:crypto';",
  },
  {
    name: 'console',
    pattern: /\bconsole\.(?:log|error|warn|info|debug)\(/,
    instead: 'take a `Logger`; commands print through what they are handed',
    files: isProduct,
    example: 'console.log(object);',
  },
  {
    name: 'the process',
    pattern: /\bprocess\.(?:env|argv|exit|stdout|stderr|once|on)\b/,
    instead: 'take it from packages/keelson/src/main.ts as an option',
    files: isProduct,
    except: {
      'packages/keelson/src/main.ts': 'is where the process is',
      'packages/keelson/src/etcd-main.ts': 'is where the process that plays etcd is',
    },
    example: "const home = process.env['HOME'];",
  },
  {
    name: joined('FIX', 'ME'),
    pattern: new RegExp(joined('\\bFIX', 'ME\\b|\\bX', 'XX:|\\bHA', 'CK\\b')),
    instead: 'repair it, or open an issue and write `TODO(#123):`',
    files: isText,
    inTests: true,
    example: joined('// FIX', 'ME: later'),
  },
  {
    name: joined('a TO', 'DO without issue'),
    pattern: new RegExp(joined('\\bTO', 'DO\\b(?!\\(#\\d+\\):)')),
    instead: joined('`TO', 'DO(#123):` with the issue'),
    files: isSource,
    inTests: true,
    example: joined('// TO', 'DO: later'),
  },
  {
    name: 'a switched-off check',
    pattern: new RegExp(joined('@ts-', '(?:ignore|nocheck)|oxlint-', 'disable|eslint-', 'disable')),
    instead: 'write what the checker can follow, or change the rule for all in .oxlintrc.json',
    files: isSource,
    inTests: true,
    example: joined('// @ts-', 'ignore'),
  },
  {
    name: 'a whole module exported',
    pattern: /^export \* /,
    instead: 'export names; a front door fits on a screen',
    files: isSource,
    inTests: true,
    example: "export * from './a.ts';",
  },
  {
    name: 'how it came about',
    pattern: new RegExp(
      joined('\\bassis', 'tants?\\b|\\bchat', 'bots?\\b|(?:^|[\\s\'"`(])/wo', 'rk/'),
      'i',
    ),
    instead: 'say what is, not who or where it was written',
    files: isText,
    inTests: true,
    example: joined('see /wo', 'rk/notes.md'),
  },
  {
    name: 'where it was written',
    pattern: new RegExp(
      joined('\\b(?:this|last|next) sess', 'ion\\b|\\bin (?:this|a) sess', 'ion\\b'),
    ),
    instead: 'write what holds whenever it is read',
    files: isDocument,
    example: joined('not done in this sess', 'ion'),
  },
];

/** Words of file names that say nothing; what each means instead is the better name. */
export const bannedFileWords: Readonly<Record<string, string>> = {
  util: 'name it after what it does',
  utils: 'name it after what it does',
  helper: 'name it after what it does',
  helpers: 'name it after what it does',
  common: 'name it after what is common',
  misc: 'divide it',
  shared: 'name it after what is shared',
  impl: 'name it after how it differs from other implementations',
  data: 'name it after what the data are about',
  info: 'name it after what it is about',
  manager: 'name it after what it does to what it manages',
};

/** Kubernetes' own words that contain one of those. */
export const fileNamesOfTheField: readonly string[] = [
  'data-sources',
  'field-manager',
  'request-info',
];
