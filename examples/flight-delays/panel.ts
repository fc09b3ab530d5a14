// A panel of upright bars over shared slots: the part that the hour, distance and spread charts have in common.

import { clearLine, element, scale, text, ticks, type Scale } from './svg.ts'

export interface Bar {
  /** `null`: too few flights to draw. */
  readonly value: number | null
  /** Half the width of the 95 % interval. */
  readonly margin?: number | null
  readonly className: string
  readonly label: string
  readonly tooltip: string
}

export interface Panel {
  readonly heading: string
  readonly bars: readonly Bar[]
  readonly top: number
  readonly height: number
  readonly left: number
  readonly width: number
  /** How an axis value reads. */
  readonly axisLabel: (value: number) => string
  readonly axisParts: number
  /** Of a slot's width, the part its bar takes. */
  readonly fill: number
}

/** Draws heading, grid, bars with whiskers and the value above each bar. */
export function drawPanel(panel: Panel): string {
  const { top, height, left, width, bars } = panel
  const lows = bars.map(({ value, margin }) => (value ?? 0) - (margin ?? 0))
  const highs = bars.map(({ value, margin }) => (value ?? 0) + (margin ?? 0))
  const axis = ticks(Math.min(0, ...lows), Math.max(0, ...highs), panel.axisParts)
  const toY = scale([axis[0]!, axis.at(-1)!], [top + height, top])
  const slot = width / bars.length
  const grid = axis.map((value) => drawTick(panel, value, toY(value)))
  const drawn = bars.map((bar, index) => drawBar(panel, bar, { center: left + slot * (index + 0.5), toY }))
  return [text(panel.heading, { x: left, y: top - 20, class: 'heading' }), ...grid, ...drawn].join('')
}

/** Labels under the slots; `every` leaves out those between. */
export function drawSlotLabels(panel: Pick<Panel, 'left' | 'width'>, labels: readonly string[], y: number): string {
  const slot = panel.width / labels.length
  const at = (index: number) => panel.left + slot * (index + 0.5)
  return labels.map((label, index) => text(label, { x: at(index), y, class: 'soft small middle' })).join('')
}

function drawTick({ left, width, axisLabel }: Panel, value: number, y: number): string {
  const line = element('line', { class: value === 0 ? 'axis' : 'grid', x1: left, x2: left + width, y1: y, y2: y })
  return line + text(axisLabel(value), { x: left - 8, y: y + 4, class: 'soft small end' })
}

function drawBar(panel: Panel, bar: Bar, place: { center: number; toY: Scale }): string {
  const { center, toY } = place
  const { value, margin, className } = bar
  const tooltip = element('title', {}, bar.tooltip)
  if (value === null) {
    return element('g', {}, tooltip, text(bar.label, { x: center, y: toY(0) - 6, class: 'soft tiny middle' }))
  }
  const barWidth = (panel.width / panel.bars.length) * panel.fill
  const [upper, lower] = [toY(Math.max(0, value)), toY(Math.min(0, value))]
  const shape = element('rect', {
    class: className,
    x: center - barWidth / 2,
    y: upper,
    width: barWidth,
    height: Math.max(0.5, lower - upper),
  })
  const whisker = margin
    ? clearLine('whisker', { x1: center, x2: center, y1: toY(value + margin), y2: toY(value - margin) })
    : ''
  const labelY =
    value < 0 ? Math.max(lower, toY(value - (margin ?? 0))) + 14 : Math.min(upper, toY(value + (margin ?? 0))) - 5
  return element('g', {}, tooltip, shape, whisker, text(bar.label, { x: center, y: labelY, class: 'tiny middle' }))
}
