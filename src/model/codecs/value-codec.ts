// What a codec is, and what it is told of a value.

/** Bytes in the form of a codec, and the name of the key that it took for them, where it has keys. */
export interface CodedBytes {
  readonly bytes: Uint8Array
  /** Stands in the store as it is: letters, digits, dots, hyphens and underscores. */
  readonly key?: string | undefined
}

/**
 * One form of what is stored of the data of a program. Its functions are called while a batch is made or read, so they are synchronous: what they need, as keys from elsewhere, is fetched before the engine is opened.
 *
 * `place` says what the value is, as in `input` or `step:charge`; the same for writing and for reading it.
 */
export interface ValueCodec {
  /** Stands in the store in front of what it wrote: lower-case letters, digits and hyphens. */
  readonly name: string
  /** What is stored instead; undefined leaves the bytes as they are. */
  encode(bytes: Uint8Array, place: string): CodedBytes | undefined
  /** Throws what says why they cannot be read. */
  decode(coded: CodedBytes, place: string): Uint8Array
  /** The key of a cache as it is stored: the same for the same text, and nobody without the keys of the codec can tell the text by it. */
  digest?(text: string): string
}

/** A place as people read it: `input`, `step 'charge'`. */
export function placeText(place: string): string {
  const at = place.split('\n', 1)[0] ?? place
  const colon = at.indexOf(':')
  return colon === -1 ? at : `${at.slice(0, colon)} '${at.slice(colon + 1)}'`
}
