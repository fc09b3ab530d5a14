// Inputs as they are stored: compared, and those that are lists put one behind the other.
import { decode, encode } from '../lib/codec.ts'
import type { Coding } from './codecs/codecs.ts'

export interface Room {
  /** How many items fit; null for any number. */
  readonly size: number | null
  readonly maxBytes: number
}

export interface Appended {
  readonly input: string
  /** Nothing more fits. */
  readonly isFull: boolean
}

/** How an input that is a list is kept. */
export interface ListForm {
  append(list: string, added: string, room: Room): Appended | undefined
  isFull(list: string, room: Pick<Room, 'size'>): boolean
  /** Whether two inputs, lists or not, are one value. */
  isSame(left: string, right: string): boolean
}

/** As it was encoded. */
export const encodedLists: ListForm = {
  append: appendList,
  isFull: isFullList,
  isSame: (left, right) => left === right,
}

/** In the form of a coding: a list that grows while it waits is read and written in the transaction that extends it. */
export function codedLists(coding: Coding): ListForm {
  const read = (text: string): string => coding.read(text, 'input')
  return {
    append: (list, added, room) => {
      const appended = appendList(read(list), read(added), room)
      return appended && { ...appended, input: coding.write(appended.input, 'input') }
    },
    isFull: (list, room) => room.size !== null && isFullList(read(list), room),
    isSame: (left, right) => left === right || read(left) === read(right),
  }
}

/** A list with another behind it; undefined when there is no room for that. */
export function appendList(list: string, added: string, { size, maxBytes }: Room): Appended | undefined {
  // Measured: beside reading and writing the items this takes a tenth; their number is only known by reading them.
  const spliced = size === null ? spliceJson(list, added) : undefined
  if (spliced !== undefined && spliced.length * 3 <= maxBytes) return { input: spliced, isFull: false }
  const items = [...itemsOf(list), ...itemsOf(added)]
  if (size !== null && items.length > size) return undefined
  const input = encode(items)
  if (Buffer.byteLength(input) > maxBytes) return undefined
  return { input, isFull: items.length === size }
}

/** Whether an input is stored as a list. */
export function isList(input: string): boolean {
  return input.startsWith('j[') || Array.isArray(decode(input))
}

/** Whether a list has as many items as there is room for. */
export function isFullList(list: string, { size }: Pick<Room, 'size'>): boolean {
  return size !== null && itemsOf(list).length >= size
}

function spliceJson(list: string, added: string): string | undefined {
  if (!list.startsWith('j[') || !added.startsWith('j[')) return undefined
  if (added === 'j[]') return list
  return list === 'j[]' ? added : `${list.slice(0, -1)},${added.slice(2)}`
}

function itemsOf(list: string): unknown[] {
  return decode(list) as unknown[]
}
