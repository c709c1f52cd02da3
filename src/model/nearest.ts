import { distance } from 'fastest-levenshtein'

/**
 * Longer names are cut before the comparison, whose cost is the product of both lengths. Names may come from outside.
 */
const longest = 100

/** Units that other libraries append to a name. */
const unit = /(?:In)?(?:Ms|Millis|Milliseconds|Secs?|Seconds|Bytes)$/

/**
 * Finds the known names that an unknown one most likely means: at most three, nearest first; empty if none is similar.
 * Every "did you mean" uses this function.
 * @param synonyms names from other libraries, each with the name to use here
 */
export function nearestNames(
  name: string,
  known: readonly string[],
  synonyms: Readonly<Record<string, string>> = {}
): readonly string[] {
  const given = name.slice(0, longest)
  const synonym = Object.entries(synonyms).find(([other]) => plain(other) === plain(given))
  if (synonym !== undefined) return [synonym[1]]
  const withoutUnit = known.find((other) => plain(other) === plain(given.replace(unit, '')))
  if (withoutUnit !== undefined) return [withoutUnit]
  // A suggestion that differs in more than a quarter of its letters would mislead.
  const limit = given.length <= 3 ? 1 : Math.max(2, Math.ceil(given.length / 4))
  const near = known
    .map((other) => ({ other, differs: distance(given.toLowerCase(), other.toLowerCase()) }))
    .filter(({ differs }) => differs <= limit)
    .sort((one, two) => one.differs - two.differs)
  const [first] = near
  return first === undefined
    ? []
    : near
        .filter(({ differs }) => differs <= first.differs + 1)
        .slice(0, 3)
        .map(({ other }) => other)
}

/** The end of a sentence about an unknown name: `; did you mean "tolerance"?`, or else `otherwise`. */
export function didYouMean(
  name: string,
  known: readonly string[],
  { otherwise = '', synonyms }: { otherwise?: string; synonyms?: Readonly<Record<string, string>> | undefined } = {}
): string {
  const [nearest] = nearestNames(name, known, synonyms)
  return nearest === undefined ? otherwise : `; did you mean "${nearest}"?`
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, '')
}
