import type UPlot from 'uplot'

import type { Buckets } from './buckets.ts'

const height = 124

interface BarOptions {
  /** The tone of each outcome, from the bottom of the stack to its top. */
  readonly tones: readonly string[]
  /** The words of a time on the axis. */
  readonly labelOf: (at: Date, isDay: boolean) => string
  readonly buckets: Buckets
  readonly onHover: (index: number | undefined) => void
  readonly onSelect: (since: Date, until: Date) => void
}

/** Draws stacked bars into the box, as wide as it is, in the colours of the page. @param Chart uPlot */
export function drawBars(
  Chart: typeof UPlot,
  box: HTMLElement,
  { tones, labelOf, buckets, onHover, onSelect }: BarOptions
): { readonly show: (buckets: Buckets) => void; readonly end: () => void } {
  let { stepSeconds } = buckets
  const bars = Chart.paths.bars?.({ size: [0.76, 22], radius: [0.22, 0], align: 1 })
  const create = (): UPlot => {
    const style = getComputedStyle(box)
    const colour = (name: string): string => resolve(style.getPropertyValue(name), box)
    const font = `11px ${style.fontFamily}`
    const chart = new Chart(
      {
        width: box.clientWidth,
        height,
        padding: [10, 14, 0, 0],
        legend: { show: false },
        cursor: {
          y: false,
          points: { show: false },
          drag: { x: true, y: false, setScale: false }
        },
        scales: {
          x: { time: true, range: (self) => [self.data[0][0] ?? 0, (self.data[0].at(-1) ?? 0) + stepSeconds] },
          y: { range: (_self, _min, max) => [0, Math.max(4, max * 1.05)] }
        },
        axes: [
          {
            stroke: colour('--faint'),
            font,
            size: 24,
            gap: 6,
            grid: { show: false },
            ticks: { show: false },
            // The last one would be cut at the edge.
            values: (self, splits) =>
              labels(splits, labelOf).map((label, index) =>
                self.valToPos(splits[index] ?? 0, 'x') > self.bbox.width / devicePixelRatio - 20 ? '' : label
              )
          },
          {
            stroke: colour('--faint'),
            font,
            size: 44,
            gap: 8,
            space: 34,
            grid: { stroke: colour('--line'), width: 1 },
            ticks: { show: false },
            incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 1e7],
            values: (_self, splits) => splits.map((value) => compact.format(value))
          }
        ],
        series: [
          {},
          // The highest first: each lower one covers its part.
          ...tones.toReversed().map((tone) => ({
            fill: colour(`--${tone}-bar`),
            width: 0,
            points: { show: false },
            ...(bars === undefined ? {} : { paths: bars })
          }))
        ],
        hooks: {
          setCursor: [
            (self) => {
              const { left } = self.cursor
              onHover(left === undefined || left < 0 ? undefined : indexAt(self, left, stepSeconds))
            }
          ],
          setSelect: [
            (self) => {
              const { left, width } = self.select
              if (width < 4) return
              const from = Math.floor(self.posToVal(left, 'x') / stepSeconds) * stepSeconds
              const to = Math.ceil(self.posToVal(left + width, 'x') / stepSeconds) * stepSeconds
              self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
              onSelect(new Date(from * 1_000), new Date(to * 1_000))
            }
          ]
        }
      },
      stacked(buckets),
      box
    )
    return chart
  }
  let chart = create()
  const redraw = (): void => {
    chart.destroy()
    chart = create()
  }
  const dark = matchMedia('(prefers-color-scheme: dark)')
  dark.addEventListener('change', redraw)
  const resized = new ResizeObserver(() => {
    if (box.clientWidth > 0 && box.clientWidth !== chart.width) chart.setSize({ width: box.clientWidth, height })
  })
  resized.observe(box)
  return {
    show: (next) => {
      ;({ stepSeconds } = next)
      buckets = next
      chart.setData(stacked(next))
    },
    end: () => {
      dark.removeEventListener('change', redraw)
      resized.disconnect()
      chart.destroy()
    }
  }
}

const compact = new Intl.NumberFormat('en', { notation: 'compact' })

/** The canvas knows no `light-dark()`: the colour as an element has it. */
function resolve(value: string, box: HTMLElement): string {
  const probe = document.createElement('i')
  probe.style.color = value
  box.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

function stacked({ at, counts }: Buckets): UPlot.AlignedData {
  const sums = at.map(() => 0)
  const lines = counts.map((line) =>
    line.map((value, index) => {
      const sum = (sums[index] ?? 0) + value
      sums[index] = sum
      return sum
    })
  )
  return [[...at], ...lines.reverse()]
}

function indexAt(chart: UPlot, left: number, stepSeconds: number): number | undefined {
  const first = chart.data[0][0] ?? 0
  const index = Math.floor((chart.posToVal(left, 'x') - first) / stepSeconds)
  return index >= 0 && index < chart.data[0].length ? index : undefined
}

/** The time of each mark; the day where it begins. */
function labels(splits: readonly number[], labelOf: BarOptions['labelOf']): string[] {
  let last = ''
  const isDays = (splits[1] ?? 0) - (splits[0] ?? 0) >= 86_400
  return splits.map((split) => {
    const at = new Date(split * 1_000)
    const day = labelOf(at, true)
    const text = isDays || (last !== '' && day !== last) ? day : labelOf(at, false)
    last = day
    return text
  })
}
