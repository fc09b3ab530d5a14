// Reads and writes PNG images (RFC 2083) of eight bits a channel, with nothing but zlib.
import { promisify } from 'node:util'
import { crc32, deflate, inflate } from 'node:zlib'

/** Four bytes a pixel (red, green, blue, opacity), row by row from the top. */
export interface Image {
  readonly width: number
  readonly height: number
  readonly pixels: Uint8Array
}

interface Header {
  readonly width: number
  readonly height: number
  readonly colour: number
}

export const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
// An image of a few bytes may claim to be larger than the memory.
const mostPixels = 50_000_000
const palette = 3
const channelsOf: Readonly<Record<number, number>> = { 0: 1, 2: 3, [palette]: 1, 4: 2, 6: 4 }

/** Throws, saying what is wrong, when the file is damaged or of a kind that is not read here (16 bits, interlaced). */
export async function decodePng(file: Buffer): Promise<Image> {
  const chunks = chunksOf(file)
  const header = headerOf(chunks)
  const channels = channelsOf[header.colour] ?? 0
  const rowBytes = header.width * channels
  const compressed = Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data))
  const rows = await promisify(inflate)(compressed, { maxOutputLength: header.height * (rowBytes + 1) })
  if (rows.length !== header.height * (rowBytes + 1)) throw new Error('The PNG ends before its last row')
  const samples = unfiltered(rows, rowBytes, channels)
  return { width: header.width, height: header.height, pixels: coloured(samples, header.colour, chunks) }
}

export async function encodePng({ width, height, pixels }: Image): Promise<Buffer> {
  const rowBytes = width * 4
  const rows = Buffer.alloc(height * (rowBytes + 1))
  // Each row begins with the number of its filter; 0 is none.
  for (let y = 0; y < height; y++) {
    rows.set(pixels.subarray(y * rowBytes, (y + 1) * rowBytes), y * (rowBytes + 1) + 1)
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 6], 8)
  const data = await promisify(deflate)(rows)
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))])
}

interface Chunk {
  readonly type: string
  readonly data: Buffer
}

function chunksOf(file: Buffer): Chunk[] {
  if (!file.subarray(0, 8).equals(signature)) throw new Error('This is not a PNG file')
  const chunks: Chunk[] = []
  for (let at = 8; chunks.at(-1)?.type !== 'IEND';) {
    const length = at + 12 <= file.length ? file.readUInt32BE(at) : Infinity
    if (at + 12 + length > file.length) throw new Error(`The PNG breaks off after ${file.length} bytes`)
    const type = file.toString('latin1', at + 4, at + 8)
    const checked = file.subarray(at + 4, at + 8 + length)
    if (crc32(checked) !== file.readUInt32BE(at + 8 + length)) throw new Error(`The ${type} part of the PNG is damaged`)
    chunks.push({ type, data: checked.subarray(4) })
    at += 12 + length
  }
  return chunks
}

function headerOf([first]: readonly Chunk[]): Header {
  if (first?.type !== 'IHDR' || first.data.length !== 13) throw new Error('The PNG does not begin with a header')
  const [width, height] = [first.data.readUInt32BE(0), first.data.readUInt32BE(4)]
  const [bits, colour = -1, , , interlace] = first.data.subarray(8)
  if (width === 0 || height === 0 || width * height > mostPixels) {
    throw new Error(`An image of ${width} × ${height} pixels is not made smaller here`)
  }
  if (bits !== 8 || channelsOf[colour] === undefined || interlace !== 0) {
    throw new Error(`A PNG of ${bits} bits, colour type ${colour}, interlace ${interlace} is not read here`)
  }
  return { width, height, colour }
}

/** Rows are stored as differences from what is to the left (a), above (b), or both (c is above and left). */
function unfiltered(rows: Buffer, rowBytes: number, channels: number): Uint8Array {
  const samples = new Uint8Array((rows.length / (rowBytes + 1)) * rowBytes)
  for (let from = 0, to = 0; from < rows.length; to += rowBytes) {
    const filter = rows[from++]!
    if (filter > 4) throw new Error(`The PNG has a row of filter ${filter}, and there is none`)
    for (let x = 0; x < rowBytes; x++, from++) {
      const at = to + x
      const a = x >= channels ? samples[at - channels]! : 0
      const b = to > 0 ? samples[at - rowBytes]! : 0
      const c = x >= channels && to > 0 ? samples[at - rowBytes - channels]! : 0
      // Storing in an array of bytes is what takes the sum modulo 256.
      samples[at] = rows[from]! + predicted(filter, { a, b, c })
    }
  }
  return samples
}

function predicted(
  filter: number,
  { a, b, c }: { readonly a: number; readonly b: number; readonly c: number },
): number {
  if (filter === 0) return 0
  if (filter === 1) return a
  if (filter === 2) return b
  if (filter === 3) return (a + b) >> 1
  const [toA, toB, toC] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)]
  if (toA <= toB && toA <= toC) return a
  return toB <= toC ? b : c
}

function coloured(samples: Uint8Array, colour: number, chunks: readonly Chunk[]): Uint8Array {
  const channels = channelsOf[colour] ?? 1
  const pixels = new Uint8Array((samples.length / channels) * 4)
  const colours = chunks.find(({ type }) => type === 'PLTE')?.data ?? Buffer.alloc(0)
  const opacities = chunks.find(({ type }) => type === 'tRNS')?.data ?? Buffer.alloc(0)
  for (let from = 0, to = 0; from < samples.length; from += channels, to += 4) {
    const first = samples[from]!
    if (colour === palette) {
      if (first * 3 + 2 >= colours.length) throw new Error(`The PNG uses colour ${first}, which it does not define`)
      pixels.set(colours.subarray(first * 3, first * 3 + 3), to)
      pixels[to + 3] = opacities[first] ?? 255
      continue
    }
    const isGrey = channels < 3
    pixels[to] = first
    pixels[to + 1] = isGrey ? first : samples[from + 1]!
    pixels[to + 2] = isGrey ? first : samples[from + 2]!
    pixels[to + 3] = channels % 2 === 0 ? samples[from + channels - 1]! : 255
  }
  return pixels
}

function chunk(type: string, data: Buffer): Buffer {
  const checked = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(checked))
  return Buffer.concat([length, checked, sum])
}
