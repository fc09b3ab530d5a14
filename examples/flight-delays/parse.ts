// Judges one row of a flight file: either a flight that can be counted, or the reason why it cannot.

import type { RawRow } from './rows.ts'

export type Dataset = 'flights-200k' | 'flights-20k'

/** One flight as the counts need it. `origin` and `day` are known only in the smaller file. */
export interface Flight {
  /** Arrival delay in minutes; negative is early. */
  readonly delay: number
  /** Miles. */
  readonly distance: number
  /** Hour of the actual departure, 0–23, local time. */
  readonly hour: number
  readonly origin?: string
  /** `YYYY/MM/DD`. */
  readonly day?: string
}

export type BadRowReason =
  | 'row is not JSON'
  | 'row is not an object'
  | 'delay is not a whole number of minutes'
  | 'delay is beyond two days'
  | 'distance is not between 1 and 10,000 miles'
  | 'time is not an hour from 0 up to 24'
  | 'date is not a real YYYY/MM/DD HH:MM'
  | 'origin is not an airport code'
  | 'destination is not an airport code'

export type ParsedRow = { readonly flight: Flight } | { readonly reason: BadRowReason }

const longestDelay = 2 * 24 * 60
const longestDistance = 10_000
const airportCode = /^[A-Z0-9]{3}$/
const dateAndTime = /^(\d{4})\/(\d{2})\/(\d{2}) (\d{2}):(\d{2})$/

/** Checks every field of a row; a row with several faults is counted under the first of them. */
export function parseRow(dataset: Dataset, row: RawRow): ParsedRow {
  if ('brokenText' in row) return { reason: 'row is not JSON' }
  const { value } = row
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { reason: 'row is not an object' }
  const fields = value as Record<string, unknown>
  const { delay, distance } = fields
  if (!isWhole(delay)) return { reason: 'delay is not a whole number of minutes' }
  if (Math.abs(delay) > longestDelay) return { reason: 'delay is beyond two days' }
  if (typeof distance !== 'number' || !(distance >= 1 && distance <= longestDistance)) {
    return { reason: 'distance is not between 1 and 10,000 miles' }
  }
  return dataset === 'flights-200k' ? withTime(fields, delay, distance) : withRoute(fields, delay, distance)
}

function withTime(fields: Record<string, unknown>, delay: number, distance: number): ParsedRow {
  const { time } = fields
  if (typeof time !== 'number' || !(time >= 0 && time < 24)) return { reason: 'time is not an hour from 0 up to 24' }
  return { flight: { delay, distance, hour: Math.floor(time) } }
}

function withRoute(fields: Record<string, unknown>, delay: number, distance: number): ParsedRow {
  const { date, origin, destination } = fields
  const moment = typeof date === 'string' ? parseMoment(date) : undefined
  if (moment === undefined) return { reason: 'date is not a real YYYY/MM/DD HH:MM' }
  if (!isAirportCode(origin)) return { reason: 'origin is not an airport code' }
  if (!isAirportCode(destination)) return { reason: 'destination is not an airport code' }
  return { flight: { delay, distance, hour: moment.hour, origin, day: moment.day } }
}

function parseMoment(text: string): { hour: number; day: string } | undefined {
  const parts = dateAndTime.exec(text)?.slice(1).map(Number)
  if (parts === undefined) return undefined
  const [year, month, day, hour, minute] = parts as [number, number, number, number, number]
  const isReal = month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month) && hour < 24 && minute < 60
  return isReal ? { hour, day: text.slice(0, 10) } : undefined
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value)

const isAirportCode = (value: unknown): value is string => typeof value === 'string' && airportCode.test(value)
