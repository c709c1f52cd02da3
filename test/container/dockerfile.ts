/** An instruction of a Dockerfile, with its continuation lines joined. */
export interface Instruction {
  readonly name: string
  readonly rest: string
}

/** A FROM instruction and the instructions after it. */
export interface Stage {
  /** The name after AS. The last stage often has none. */
  readonly name: string | undefined
  readonly image: string
  readonly instructions: readonly Instruction[]
}

/** Splits a Dockerfile into stages. Supports what our Dockerfile uses: comments, continuation lines, FROM ... AS. */
export function parseDockerfile(text: string): Stage[] {
  const stages: (Stage & { instructions: Instruction[] })[] = []
  const lines = text
    .replaceAll(/\\\n/gu, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
  for (const line of lines) {
    const [name = '', ...all] = line.trim().split(/\s+/u)
    const words = name === 'FROM' ? all.filter((word) => !word.startsWith('--')) : all
    const rest = words.join(' ')
    if (name === 'FROM') stages.push({ image: words[0] ?? '', name: words[2], instructions: [] })
    else stages.at(-1)?.instructions.push({ name, rest })
  }
  return stages
}
