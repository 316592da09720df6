// What rules cost: expressions of the Common Expression Language, compiled and evaluated here and
// by the other engines on npm in the same process; requests that no policy is about; Pod Security.

import { execFileSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Environment } from '@marcbachmann/cel-js';
import { celEnv, parse, plan } from '@bufbuild/cel';
import { evaluate as evaluateTree, parse as parseTree } from 'cel-js';
import { celTypes, createEnvironment, fromJson } from '@keelson/cel';
import { createEvaluator } from '@keelson/pod-security';
import { busyNote, duration } from './figures.ts';
import type { Section } from './section.ts';

export const celSection: Section = {
  name: 'cel',
  heading: 'Expressions and policies',
  measure: async () => renderExpressions(measureExpressions()),
};

export interface ExpressionFigures {
  readonly engines: readonly string[];
  readonly rows: readonly ExpressionRow[];
  /** Of a request before 500 bound policies for another resource, and for other namespaces. */
  readonly matchNs: MatchFigures;
  /** Of a pod with three containers at the level restricted. */
  readonly podSecurityNs: number | undefined;
  /** Programs that wanted a core when the measurement began. */
  readonly load: number;
}

export interface ExpressionRow {
  readonly expression: string;
  /** By engine; undefined where it cannot. */
  readonly evaluateNs: readonly (number | undefined)[];
  readonly compileNs: readonly (number | undefined)[];
}

interface MatchFigures {
  readonly otherResource: number;
  readonly otherNamespace: number;
}

interface Engine {
  readonly name: string;
  /** Everything before the first evaluation. */
  compile(expression: string): (pod: Pod) => unknown;
}

const container = (name: string) => ({
  name,
  image: `registry.example.com/team/${name}:1.2.3`,
  resources: { limits: { cpu: '1', memory: '1Gi' } },
  securityContext: {
    runAsNonRoot: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  },
});
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default', labels: { app: 'web', team: 'shop' } },
  spec: { replicas: 3, containers: [container('app'), container('log'), container('proxy')] },
};
type Pod = typeof pod;

const expressions = [
  'object.spec.replicas <= 10',
  'has(object.metadata.labels) && "team" in object.metadata.labels',
  'object.metadata.name.startsWith("web") && object.metadata.name.size() < 64',
  'object.spec.containers.all(c, c.image.startsWith("registry.example.com/"))',
  'object.spec.containers.all(c, has(c.securityContext) && c.securityContext.runAsNonRoot == true)',
  'object.spec.containers.exists(c, c.name == "proxy")',
  'object.spec.containers.filter(c, c.name != "log").map(c, c.image).size() == 2',
];

/** As the engines want to be used: compiled once, and given the object as JSON. */
function createEngines(): readonly Engine[] {
  const keelson = createEnvironment({
    variables: { object: celTypes.dyn },
    optionalSyntax: true,
    crossTypeNumericComparisons: true,
  });
  const marcBachmann = new Environment().registerVariable('object', 'dyn');
  const bufbuild = celEnv();
  return [
    {
      name: '@keelson/cel',
      compile(expression) {
        const { program } = keelson.compile(expression);
        if (program === undefined) throw new Error(expression);
        const options = { costLimit: 1_000_000 };
        return (object) => program.evaluate({ object: fromJson(object) }, options).result;
      },
    },
    {
      name: '@marcbachmann/cel-js',
      compile(expression) {
        const program = marcBachmann.parse(expression);
        program.check();
        return (object) => program({ object });
      },
    },
    {
      name: '@bufbuild/cel',
      compile(expression) {
        const program = plan(bufbuild, parse(expression));
        return (object) => program({ object });
      },
    },
    {
      name: 'cel-js',
      compile(expression) {
        const parsed = parseTree(expression);
        if (!parsed.isSuccess) throw new Error(expression);
        return (object) => evaluateTree(parsed.cst, { object });
      },
    },
  ];
}

function measureExpressions(): ExpressionFigures {
  const [load = 0] = loadavg();
  const engines = createEngines();
  const rows = expressions.map((expression) => {
    const programs = engines.map((engine) => tryCompile(engine, expression));
    return {
      expression,
      evaluateNs: nanoseconds(
        programs.map((evaluate) => evaluate && (() => evaluate(pod))),
        2000,
      ),
      compileNs: nanoseconds(
        engines.map((engine, i) => programs[i] && (() => engine.compile(expression))),
        50,
      ),
    };
  });
  const evaluatePod = createEvaluator();
  const restricted = { level: 'restricted', version: 'latest' } as const;
  const [podSecurityNs] = nanoseconds(
    [() => evaluatePod(restricted, pod.metadata, pod.spec)],
    2000,
  );
  const names = engines.map(({ name }) => name);
  return { engines: names, rows, matchNs: measureMatching(), podSecurityNs, load };
}

/** Undefined when the engine refuses the expression, or gets it wrong: all of them are true. */
function tryCompile(engine: Engine, expression: string): ((pod: Pod) => unknown) | undefined {
  try {
    const evaluate = engine.compile(expression);
    return evaluate(pod) === true ? evaluate : undefined;
  } catch {
    return undefined;
  }
}

/** The server's own measurement of its insides. */
function measureMatching(): MatchFigures {
  const bench = '../../packages/apiserver/src/admission/policy/testing/matching-bench.ts';
  const path = fileURLToPath(new URL(bench, import.meta.url));
  return JSON.parse(execFileSync(process.execPath, [path], { encoding: 'utf8' })) as MatchFigures;
}

type Work = (() => unknown) | undefined;

/**
 * Of each work in turn, the best of many short rounds: a busy machine only ever adds, and it adds
 * to all of them.
 */
function nanoseconds(works: readonly Work[], times: number): (number | undefined)[] {
  const best = works.map((work) => work && Number.POSITIVE_INFINITY);
  for (let round = 0; round < 60; round++) {
    for (const [i, work] of works.entries()) {
      if (work === undefined) continue;
      const startedAt = process.hrtime.bigint();
      for (let j = 0; j < times; j++) work();
      const each = Number(process.hrtime.bigint() - startedAt) / times;
      best[i] = Math.min(best[i] ?? each, each);
    }
  }
  return best;
}

function renderExpressions(figures: ExpressionFigures): string {
  const { engines, rows, matchNs, podSecurityNs, load } = figures;
  const times = (values: readonly (number | undefined)[]) => values.map(duration).join(' | ');
  const head = `| ${engines.map((name) => `\`${name}\``).join(' | ')} |\n|---${'|---'.repeat(engines.length)}|`;
  const shown = (expression: string) => `\`${expression.replaceAll('||', '\\|\\|')}\``;
  return `Of a pod with three containers, all engines in one process, the best of many short rounds; \`–\` where an engine refuses
the expression or gets it wrong. Ours is given JSON, checks types, and counts and limits costs.${busyNote(load)}

| evaluate ${head}
${rows.map((row) => `| ${shown(row.expression)} | ${times(row.evaluateNs)} |`).join('\n')}

| compile ${head}
${rows.map((row) => `| ${shown(row.expression)} | ${times(row.compileNs)} |`).join('\n')}

| | |
|---|---|
| 500 bound policies for another resource | ${duration(matchNs.otherResource)} |
| 500 bound policies for other namespaces | ${duration(matchNs.otherNamespace)} |
| Pod Security, restricted | ${duration(podSecurityNs)} |
`;
}
