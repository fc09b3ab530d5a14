// Counts words on the way from one stream to the next.

/** Tells their number at the end. Throws a TypeError at what is not UTF-8. */
export function countWords(tell: (words: number) => void) {
  return async function* (pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const decoder = new TextDecoder('utf-8', { fatal: true })
    let words = 0
    let isInWord = false
    for await (const piece of pieces) {
      const text = decoder.decode(piece, { stream: true })
      // Where a piece ends nobody knows about words: one may go on in the next.
      const isContinued = isInWord && /^\S/.test(text)
      words += (text.match(/\S+/g)?.length ?? 0) - (isContinued ? 1 : 0)
      if (text !== '') isInWord = /\S$/.test(text)
      yield piece
    }
    decoder.decode()
    tell(words)
  }
}
