export interface SparkBar {
  readonly good: number
  readonly bad: number
}

const width = 5
const height = 24

/** Small bars, failures on top: the shape of a day. The label says the sum in words. */
export function Spark({ bars, label }: { readonly bars: readonly SparkBar[]; readonly label: string }) {
  const most = Math.max(1, ...bars.map(({ good, bad }) => good + bad))
  const scale = (value: number): number => (value === 0 ? 0 : Math.max(1, (value / most) * height))
  return (
    <svg class="spark" viewBox={`0 0 ${bars.length * width} ${height}`} role="img" aria-label={label}>
      <title>{label}</title>
      {bars.map(({ good, bad }, index) => {
        const [low, high] = [scale(good), scale(bad)]
        return (
          <g key={index}>
            {low + high === 0 && (
              <rect class="spark-none" x={index * width} y={height - 1} width={width - 1.5} height={1} />
            )}
            <rect class="spark-good" x={index * width} y={height - low} width={width - 1.5} height={low} />
            <rect class="spark-bad" x={index * width} y={height - low - high} width={width - 1.5} height={high} />
          </g>
        )
      })}
    </svg>
  )
}
