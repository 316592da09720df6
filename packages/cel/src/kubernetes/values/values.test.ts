import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  addressKinds,
  containsAddress,
  containsNetwork,
  formatIpAddress,
  formatIpNetwork,
  maskNetwork,
  parseIpAddress,
  parseIpNetwork,
} from './ip-address.ts';
import { namedFormats } from './named-formats.ts';
import {
  addQuantities,
  approximateFloat,
  compareQuantities,
  integerOf,
  parseQuantity,
  subtractQuantities,
  type Quantity,
} from './quantity.ts';
import { quoteText } from './quote-text.ts';
import { compareSemanticVersions, parseSemanticVersion } from './semantic-version.ts';
import { hostnameOf, parseUrl, portOf, queryOf, requestUriProblem } from './url.ts';

describe('semantic versions', () => {
  const order = [
    '0.9.9',
    '1.0.0-1',
    '1.0.0-2',
    '1.0.0-10',
    '1.0.0-a',
    '1.0.0-a.1',
    '1.0.0-b',
    '1.0.0',
    '1.2.0',
    '1.10.0',
  ];
  it('compare by precedence', () => {
    for (const [i, a] of order.entries()) {
      for (const [j, b] of order.entries()) {
        const [x, y] = [parseSemanticVersion(a), parseSemanticVersion(b)];
        assert.ok(!('error' in x) && !('error' in y));
        assert.equal(compareSemanticVersions(x, y), Math.sign(i - j), `${a} ${b}`);
      }
    }
  });

  const refused: readonly [text: string, normalize: boolean, error: string][] = [
    ['', false, 'Version string empty'],
    ['1.2', false, 'No Major.Minor.Patch elements found'],
    ['v1.2.3', false, 'Invalid character(s) found in major number "v1"'],
    ['1.2.3.4', false, 'Invalid character(s) found in patch number "3.4"'],
    ['01.2.3', false, 'Major number must not contain leading zeroes "01"'],
    ['.2.3', false, 'strconv.ParseUint: parsing "": invalid syntax'],
    ['1.2.3-', false, 'Prerelease is empty'],
    ['1.2.3-01', false, 'Numeric PreRelease version must not contain leading zeroes "01"'],
    ['1.2.3-a_b', false, 'Invalid character(s) found in prerelease "a_b"'],
    ['1.2.3+', false, 'Build meta data is empty'],
    [
      '1.2.18446744073709551616',
      false,
      'strconv.ParseUint: parsing "18446744073709551616": value out of range',
    ],
    ['1.0-rc1', true, 'short version cannot contain PreRelease/Build meta data'],
  ];
  for (const [text, normalize, error] of refused) {
    it(`refuse ${JSON.stringify(text)}`, () => {
      assert.deepEqual(parseSemanticVersion(text, normalize), { error });
    });
  }

  for (const [text, major, minor, patch] of [
    ['v1', 1n, 0n, 0n],
    ['v01.002', 1n, 2n, 0n],
    ['1.2.03-rc.1', 1n, 2n, 3n],
    ['0.0.00', 0n, 0n, 0n],
  ] as const) {
    it(`are normalised: ${text}`, () => {
      const version = parseSemanticVersion(text, true);
      assert.ok(!('error' in version));
      assert.deepEqual([version.major, version.minor, version.patch], [major, minor, patch]);
    });
  }
});

describe('IP addresses', () => {
  const accepted: readonly [text: string, canonical: string][] = [
    ['10.1.2.3', '10.1.2.3'],
    ['::', '::'],
    ['2001:0DB8::0001', '2001:db8::1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:2:3:4:5:6:7:0', '1:2:3:4:5:6:7:0'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
  ];
  for (const [text, canonical] of accepted) {
    it(`accept ${text}`, () => {
      const address = parseIpAddress(text);
      assert.ok(!('error' in address));
      assert.equal(formatIpAddress(address), canonical);
    });
  }

  const problems: readonly [text: string, why: string][] = [
    ['', 'unable to parse IP'],
    ['1.2.3', 'IPv4 address too short'],
    ['1.2.3.4.5', 'IPv4 address too long'],
    ['01.2.3.4', 'IPv4 field has octet with leading zero'],
    ['1.2.3.256', 'IPv4 field has value >255'],
    ['1.2.3.', 'IPv4 field must have at least one digit (at ".")'],
    ['a.b.c.d', 'unexpected character (at "a.b.c.d")'],
    ['1:2:3', 'address string too short'],
    ['1::2::3', 'multiple :: in address (at ":3")'],
    ['12345::', 'each group must have 4 or less digits (at "12345::")'],
    ['1:2:3:4:5:6:7:8:9', 'trailing garbage after address (at "9")'],
    ['::%', 'zone must be a non-empty string'],
    ['%eth0', 'missing IPv6 address'],
  ];
  for (const [text, why] of problems) {
    it(`refuse ${JSON.stringify(text)}`, () => {
      const shown = JSON.stringify(text);
      const error = `IP Address ${shown} parse error during conversion from string: ParseAddr(${shown}): ${why}`;
      assert.deepEqual(parseIpAddress(text), { error });
    });
  }

  it('refuse zones and mapped addresses', () => {
    assert.deepEqual(parseIpAddress('fe80::1%eth0'), {
      error: 'IP address "fe80::1%eth0" with zone value is not allowed',
    });
    assert.deepEqual(parseIpAddress('::ffff:1.2.3.4'), {
      error: 'IPv4-mapped IPv6 address "::ffff:1.2.3.4" is not allowed',
    });
  });

  const kinds: readonly [text: string, ...names: (keyof typeof addressKinds)[]][] = [
    ['0.0.0.0', 'isUnspecified'],
    ['127.0.0.9', 'isLoopback'],
    ['224.0.0.7', 'isLinkLocalMulticast', 'isMulticast'],
    ['224.0.1.7', 'isMulticast'],
    ['169.254.1.1', 'isLinkLocalUnicast'],
    ['192.168.0.1', 'isGlobalUnicast'],
    ['255.255.255.255'],
    ['::', 'isUnspecified'],
    ['::1', 'isLoopback'],
    ['ff02::1', 'isLinkLocalMulticast', 'isMulticast'],
    ['fe80::1', 'isLinkLocalUnicast'],
    ['fd00::1', 'isGlobalUnicast'],
  ];
  for (const [text, ...names] of kinds) {
    it(`are of kinds: ${text}`, () => {
      const address = parseIpAddress(text);
      assert.ok(!('error' in address));
      const found = Object.entries(addressKinds).filter(([, holds]) => holds(address));
      assert.deepEqual(found.map(([name]) => name).sort(), [...names].sort());
    });
  }
});

describe('networks', () => {
  it('contain addresses and networks of their family', () => {
    const network = (text: string) => {
      const parsed = parseIpNetwork(text);
      assert.ok(!('error' in parsed), text);
      return parsed;
    };
    assert.equal(formatIpNetwork(maskNetwork(network('10.1.2.3/8'))), '10.0.0.0/8');
    assert.ok(containsNetwork(network('10.0.0.0/8'), network('10.2.0.0/16')));
    assert.ok(!containsNetwork(network('10.0.0.0/16'), network('10.0.0.0/8')));
    assert.ok(containsAddress(network('0.0.0.0/0'), network('1.2.3.4/32').address));
    assert.ok(!containsAddress(network('::/0'), network('1.2.3.4/32').address));
  });

  const refused: readonly [text: string, why: string][] = [
    ['10.0.0.0', "no '/'"],
    ['10.0.0/8', 'ParseAddr("10.0.0"): IPv4 address too short'],
    ['10.0.0.0/33', 'prefix length out of range'],
    ['10.0.0.0/08', 'bad bits after slash: "08"'],
    ['10.0.0.0/-1', 'bad bits after slash: "-1"'],
    ['10.0.0.0/', 'bad bits after slash: ""'],
    ['fe80::%a/64', 'IPv6 zones cannot be present in a prefix'],
  ];
  for (const [text, why] of refused) {
    it(`refuse ${text}`, () => {
      const error = `network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(text)}): ${why}`;
      assert.deepEqual(parseIpNetwork(text), { error });
    });
  }
});

describe('quantities', () => {
  const read = (text: string): Quantity => {
    const quantity = parseQuantity(text);
    assert.ok(!('error' in quantity), text);
    return quantity;
  };

  const pairs: readonly [a: string, b: string, order: number][] = [
    ['1Gi', '1G', 1],
    ['1Gi', '1000Mi', 1],
    ['1000m', '1', 0],
    ['1e3', '1k', 0],
    ['-1', '0', -1],
    ['0.1n', '1n', 0],
    ['1e4000', '1E', 1],
    ['9E', '8Ei', -1],
  ];
  for (const [a, b, order] of pairs) {
    it(`compare ${a} and ${b}`, () => {
      assert.equal(compareQuantities(read(a), read(b)), order);
      assert.equal(compareQuantities(read(b), read(a)), order === 0 ? 0 : -order);
    });
  }

  const integers: readonly [text: string, value: bigint | undefined][] = [
    ['5', 5n],
    ['-2k', -2000n],
    ['1Gi', 2n ** 30n],
    ['1.5Gi', undefined],
    ['1.0', undefined],
    ['1500m', undefined],
    ['9E', 9n * 10n ** 18n],
    ['10E', undefined],
  ];
  for (const [text, value] of integers) {
    it(`are integers or not: ${text}`, () => assert.equal(integerOf(read(text)), value));
  }

  it('add and subtract', () => {
    const sum = addQuantities(read('1'), read('500m'));
    assert.equal(compareQuantities(sum, read('1500m')), 0);
    assert.equal(compareQuantities(subtractQuantities(sum, sum), read('0')), 0);
    assert.equal(integerOf(subtractQuantities(read('3'), read('1'))), 2n);
    assert.equal(approximateFloat(read('1500m')), 1.5);
  });

  const wrong =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
  const suffix = "unable to parse quantity's suffix";
  const refused: readonly [text: string, error: string][] = [
    ['', wrong],
    ['bad', wrong],
    ['1 Gi', wrong],
    ['10Zi', wrong],
    ['1.2.3', wrong],
    ['1Gi1', suffix],
    ['1e', suffix],
    ['1e99999', suffix],
    ['0'.repeat(2000), wrong],
  ];
  for (const [text, error] of refused) {
    it(`refuse ${JSON.stringify(text.slice(0, 20))}`, () => {
      assert.deepEqual(parseQuantity(text), { error });
    });
  }
});

describe('URLs', () => {
  it('have parts', () => {
    const url = parseUrl('HTTPS://me@host.example:8443/a b?x=1&y=2&x=3&z=%zz&a;b=1#top');
    assert.ok(!('error' in url));
    const { scheme, user, host, escapedPath, fragment } = url;
    assert.deepEqual(
      { scheme, user, host, escapedPath, fragment },
      {
        scheme: 'https',
        user: 'me',
        host: 'host.example:8443',
        escapedPath: '/a%20b',
        fragment: 'top',
      },
    );
    assert.deepEqual([hostnameOf(url), portOf(url)], ['host.example', '8443']);
    assert.deepEqual(
      [...queryOf(url)],
      [
        ['x', ['1', '3']],
        ['y', ['2']],
      ],
    );
  });

  it('have hosts in brackets', () => {
    const url = parseUrl('http://[fe80::1%25eth0]:80/');
    assert.ok(!('error' in url));
    assert.deepEqual(
      [url.host, hostnameOf(url), portOf(url)],
      ['[fe80::1%eth0]:80', 'fe80::1%eth0', '80'],
    );
  });

  const problems: readonly [text: string, why: string | undefined][] = [
    ['/x', undefined],
    ['mailto:a@b', undefined],
    ['*', undefined],
    ['', 'empty url'],
    ['a.b', 'invalid URI for request'],
    [':a', 'missing protocol scheme'],
    ['http://a b/', 'invalid character " " in host name'],
    ['http://h:x/', 'invalid port ":x" after host'],
    ['http://[::1/', "missing ']' in host"],
    ['/%zz', 'invalid URL escape "%zz"'],
    ['/\n', 'net/url: invalid control character in URL'],
    ['http://a^b@h/', 'net/url: invalid userinfo'],
  ];
  for (const [text, why] of problems) {
    it(`are looked at: ${JSON.stringify(text)}`, () => {
      const expected = why === undefined ? undefined : `parse ${quoteText(text)}: ${why}`;
      assert.equal(requestUriProblem(text), expected);
    });
  }
});

describe('named formats', () => {
  const cases: readonly [format: string, text: string, ...starts: string[]][] = [
    ['dns1123Label', 'a-1'],
    ['dns1123Label', 'Bad_Name', 'a lowercase RFC 1123 label must'],
    ['dns1123Label', 'a.b', 'must not contain dots'],
    ['dns1123Label', 'a'.repeat(64), 'must be no more than 63 characters'],
    ['dns1123LabelPrefix', 'a-'],
    ['dns1123Label', 'a-', 'a lowercase RFC 1123 label must'],
    ['dns1123Subdomain', 'a.b'],
    ['dns1123Subdomain', 'a..b', 'a lowercase RFC 1123 subdomain must'],
    ['dns1035Label', '1abc', 'a DNS-1035 label must'],
    ['qualifiedName', 'example.com/Name'],
    ['qualifiedName', 'a/b/c', 'a valid label key must'],
    ['qualifiedName', '/a', 'prefix part must be non-empty'],
    ['qualifiedName', 'a/', 'name part must be non-empty', 'name part must consist'],
    ['labelValue', ''],
    ['labelValue', 'x y', 'a valid label must'],
    ['uri', 'a b', 'parse "a b": invalid URI for request'],
    ['uuid', '11111111-2222-4333-8444-555555555555'],
    ['uuid', 'nope', 'does not match the UUID format'],
    ['byte', 'aGk='],
    ['byte', '!!', 'invalid base64'],
    ['date', '2024-02-29'],
    ['date', '2023-02-29', 'invalid date'],
    ['datetime', '2024-01-01T00:00:00Z'],
    ['datetime', '2024-01-01', 'invalid datetime'],
  ];
  for (const [format, text, ...starts] of cases) {
    it(`${format} of ${JSON.stringify(text.slice(0, 20))}`, () => {
      const found = namedFormats.get(format)?.validate(text) ?? ['no such format'];
      assert.equal(found.length, starts.length, found.join());
      for (const [i, start] of starts.entries()) assert.ok(found[i]?.startsWith(start), found[i]);
    });
  }
});
