// How numbers read: grouping, minutes early or late, percentages, hours, distances. Free of locale, so the same everywhere.

import type { BandGroup } from './findings.ts'

/** `200000` → `200,000`. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `13048` → `13.0k`, where a whole number would not fit. */
export function shortCount(value: number): string {
  return value < 1000 ? String(value) : `${(value / 1000).toFixed(1)}k`
}

/** One decimal and a real minus sign; never a negative zero. */
export function decimal(value: number | null, digits = 1): string {
  if (value === null) return '–'
  const text = Math.abs(value).toFixed(digits)
  return value < 0 && Number(text) !== 0 ? `−${text}` : text
}

/** `0.2157` → `21.6%`. */
export function percent(share: number | null, digits = 1): string {
  return share === null ? '–' : `${(share * 100).toFixed(digits)}%`
}

/** `35.2` → `35.2 minutes late`, `-2.9` → `2.9 minutes early`. */
export function lateness(minutes: number): string {
  const text = Math.abs(minutes).toFixed(1)
  if (Number(text) === 0) return 'on time'
  return `${text} minutes ${minutes < 0 ? 'early' : 'late'}`
}

/** `7` → `07:00`. */
export function clock(hour: number): string {
  return `${String(hour).padStart(2, '0')}:00`
}

/** `07:00–07:59`. */
export function hourRange(hour: number): string {
  return `${clock(hour)}–${String(hour).padStart(2, '0')}:59`
}

/** `250–499`, and `2,500+` for the last. */
export function miles({ from, to }: Pick<BandGroup, 'from' | 'to'>): string {
  return to === null ? `${count(from)}+` : `${count(from)}–${count(to - 1)}`
}

/** `2001/03/31` → `31 March 2001`. */
export function day(date: string): string {
  const [year, month, dayOfMonth] = date.split('/').map(Number) as [number, number, number]
  return `${dayOfMonth} ${months[month - 1]} ${year}`
}

const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
