// One section of docs/benchmarks.md: what is measured together and may be measured alone.

export interface BenchTools {
  /** What users start is the bundle, so that is what is measured. Built when first asked for. */
  program(): string;
  /** Removed when all is measured. */
  newDirectory(): string;
  /** Folder of the load generator that also measured kube-apiserver. */
  readonly generator: string;
  /** Arguments that are passed on to it. */
  readonly generatorOptions: readonly string[];
}

export interface Section {
  /** On the command line: `npm run bench -- NAME`. */
  readonly name: string;
  readonly heading: string;
  /** Markdown below the heading. */
  measure(tools: BenchTools): Promise<string>;
}
