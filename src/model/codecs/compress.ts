// Compression of what is stored.
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import { TroupeError } from '../../lib/errors.ts'
import type { ValueCodec } from './value-codec.ts'

export interface CompressOptions {
  /** Values of fewer bytes are left as they are; 1,024 unless told. */
  readonly above?: number
  /** From 0, the fastest, to 11, the smallest; 4 unless told. */
  readonly quality?: number
}

// More than any value is large.
const mostBytes = 268_435_456

/**
 * A codec that compresses large values with Brotli; what would not become smaller is left as it is.
 *
 * Stands before `aesGcm` where both are used: what is encrypted cannot be compressed. The length of what is stored then tells how well it could be.
 * Throws: `option_invalid`.
 *
 * ```ts
 * import { compress, Troupe, worker } from 'troupe'
 * const count = worker('count', {}, (ctx, text: string) => text.length)
 * await using troupe = await Troupe.open({ store: 'sqlite::memory:', definitions: [count], codec: compress() })
 * await troupe.start()
 * console.log(await troupe.run(count, 'ab'.repeat(5000))) // 10000
 * ```
 */
export function compress(options: CompressOptions = {}): ValueCodec {
  const { above = 1024, quality = 4 } = options
  check('above', above, Number.MAX_SAFE_INTEGER)
  check('quality', quality, 11)
  const params = { [constants.BROTLI_PARAM_QUALITY]: quality }
  return {
    name: 'brotli',
    encode: (plain) => {
      if (plain.byteLength <= above) return undefined
      const bytes = brotliCompressSync(plain, { params })
      return bytes.byteLength < plain.byteLength ? { bytes } : undefined
    },
    decode: ({ bytes }) => brotliDecompressSync(bytes, { maxOutputLength: mostBytes }),
  }
}

function check(what: string, received: number, most: number): void {
  if (Number.isSafeInteger(received) && received >= 0 && received <= most) return
  throw new TroupeError(
    'option_invalid',
    `${what} of compress is ${String(received)}: give a whole number from 0 to ${most}.`,
    {
      retryable: false,
    },
  )
}
