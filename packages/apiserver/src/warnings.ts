// The warnings of one answer, bounded as kube-apiserver bounds them (pkg/endpoints/filters/warning.go):
// when all of them together become too long, each is cut to a length of its own, those that were
// there already too; what comes after even that is too long is dropped.

/** How much of a warning is left when there is too much of all. */
const runesMaxEach = 256;

export interface WarningRecorder {
  /** Repeated, empty and unprintable texts are dropped. */
  add(text: string): void;
  readonly texts: readonly string[];
}

/** `runesMax` bounds all texts together, in characters. */
export function createWarningRecorder(runesMax: number): WarningRecorder {
  const given = new Set<string>();
  let texts: string[] = [];
  let runes = 0;
  let isCutting = false;
  const write = (text: string) => {
    const characters = [...text];
    const kept = isCutting ? characters.slice(0, runesMaxEach) : characters;
    runes += kept.length;
    texts.push(kept.join(''));
  };
  return {
    add(text) {
      if (text === '' || given.has(text) || /\p{Cc}/u.test(text)) return;
      if (isCutting && runes >= runesMax) return;
      given.add(text);
      if (!isCutting && runes + [...text].length > runesMax) {
        isCutting = true;
        runes = 0;
        texts = [];
        for (const earlier of given) write(earlier);
      } else write(text);
    },
    get texts() {
      return texts;
    },
  };
}
