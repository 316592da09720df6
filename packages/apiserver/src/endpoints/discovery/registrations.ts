// Which groups and versions discovery shows besides and before what this server serves, and in which
// order: what APIServices say. Discovery asks; the aggregator answers.

/** `freshness` is Stale while the server that serves it does not answer. */
export interface RemoteVersion {
  /** In the form of aggregated discovery (`APIResourceDiscovery`); absent when never read. */
  readonly resources?: readonly object[];
  readonly freshness: 'Current' | 'Stale';
}

export interface RegisteredVersion {
  readonly version: string;
  /** Set when another server serves it. */
  readonly remote?: RemoteVersion;
}

export interface Registrations {
  /** Best first; the group of the core, which has no name, among them. */
  groups(): readonly string[];
  /** Best first; none of a group that nobody registered. */
  versionsOf(group: string): readonly RegisteredVersion[];
  /** Grows when something else is answered. */
  readonly generation: number;
}
