// What a kubelet says in events and conditions, where the words differ by release. A row holds from
// its release on, until another one takes its place.

export interface KubeletTexts {
  created(container: string): string;
  started(container: string): string;
  imagePresent(image: string): string;
  imagePulled(image: string, took: string, bytes: number): string;
  /** Whether resizes of pods are told of. */
  readonly hasResizeEvents: boolean;
}

interface Row extends Partial<KubeletTexts> {
  readonly since: number;
}

const imagePulled = (image: string, took: string) =>
  `Successfully pulled image "${image}" in ${took} (${took} including waiting)`;

const rows: readonly Row[] = [
  {
    since: 0,
    created: (container) => `Created container ${container}`,
    started: (container) => `Started container ${container}`,
    imagePresent: (image) => `Container image "${image}" already present on machine`,
    imagePulled,
    hasResizeEvents: false,
  },
  {
    since: 30,
    imagePulled: (image, took, bytes) => `${imagePulled(image, took)}. Image size: ${bytes} bytes.`,
  },
  {
    since: 32,
    created: (container) => `Created container: ${container}`,
  },
  {
    since: 35,
    hasResizeEvents: true,
    created: () => 'Container created',
    started: () => 'Container started',
    imagePresent: (image) =>
      `Container image "${image}" already present on machine and can be accessed by the pod`,
  },
];

/** `minor` is the release's: 36 for 1.36. */
export function kubeletTexts(minor: number): KubeletTexts {
  const texts: Partial<KubeletTexts> = {};
  for (const { since, ...row } of rows) if (since <= minor) Object.assign(texts, row);
  return texts as KubeletTexts;
}
