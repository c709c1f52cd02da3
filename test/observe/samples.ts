/** A sample of a page in the text format of Prometheus. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Reads a page in the text format of Prometheus. @throws for a line that is none */
export function readSamples(page: string): readonly Sample[] {
  return page
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name, labels = '', value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
      if (name === undefined) throw new Error(`not a sample: ${line}`)
      const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', text = '']) => [key, text])
      return { name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) }
    })
}

/** Returns the value of the sample with these labels, among others; undefined if there is none. */
export function valueOf(page: string, name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  return readSamples(page).find(
    (sample) => sample.name === name && Object.entries(labels).every(([key, text]) => sample.labels[key] === text)
  )?.value
}
