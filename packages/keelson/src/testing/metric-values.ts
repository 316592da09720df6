// What /metrics shows, read as a monitoring system would.

import type { Client } from '@keelson/client';

export interface MetricValues {
  lines(): Promise<readonly string[]>;
  /** Of the series with exactly these labels, as they are shown: `name{label="value"}`. */
  value(series: string): Promise<number | undefined>;
  /** Every series of the family, `{label="value"} 1`, in order. */
  family(name: string): Promise<readonly string[]>;
}

export function metricValues(client: Client): MetricValues {
  const lines = async () => {
    const bytes = await client.send({ method: 'GET', path: '/metrics' });
    return Buffer.from(bytes).toString().split('\n');
  };
  return {
    lines,
    async value(series) {
      const line = (await lines()).find((one) => one.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.slice(series.length + 1));
    },
    family: async (name) =>
      (await lines())
        .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
        .map((line) => line.slice(name.length).trim())
        .toSorted(),
  };
}
