import { readFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { crc32, deflateSync, inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { decodePng, encodePng, signature } from './png.ts'
import { thumbnail } from './thumbnail.ts'

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
const part = (type: string, data: Buffer): Buffer => {
  const checked = Buffer.concat([Buffer.from(type), data])
  return Buffer.concat([uint32(data.length), checked, uint32(crc32(checked))])
}

interface Recipe {
  readonly width: number
  readonly colour: number
  readonly rows: readonly (readonly number[])[]
  readonly others?: readonly Buffer[]
  readonly bits?: number
  readonly height?: number
  readonly interlace?: number
}

function png({ width, colour, rows, others = [], bits = 8, height = rows.length, interlace = 0 }: Recipe): Buffer {
  const header = Buffer.concat([uint32(width), uint32(height), Buffer.from([bits, colour, 0, 0, interlace])])
  const data = part('IDAT', deflateSync(Buffer.from(rows.flat())))
  return Buffer.concat([signature, part('IHDR', header), ...others, data, part('IEND', Buffer.alloc(0))])
}

const grey = (value: number): number[] => [value, value, value, 255]

describe('decodePng', () => {
  it('undoes each filter', async () => {
    const rows = [
      [0, 10, 20, 250],
      [1, 5, 5, 5],
      [2, 1, 1, 254],
      [3, 10, 10, 10],
      [4, 3, 3, 3],
    ]
    const { width, height, pixels } = await decodePng(png({ width: 3, colour: 0, rows }))
    expect({ width, height }).toEqual({ width: 3, height: 5 })
    // By hand: left; above; half of left and above; whichever of left, above and their corner is nearest to left + above − corner.
    expect([...pixels]).toEqual([10, 20, 250, 5, 10, 15, 6, 11, 13, 13, 22, 27, 16, 25, 30].flatMap(grey))
  })

  it('takes the corner where that is nearest', async () => {
    const rows = [
      [0, 50, 100],
      [4, 40, 1],
    ]
    // 90 to the left, 100 above, 50 in the corner: 140 − 50 … nearest to 140 is above.
    expect([...(await decodePng(png({ width: 2, colour: 0, rows }))).pixels]).toEqual([50, 100, 90, 101].flatMap(grey))
    const falling = [
      [0, 100, 60],
      [4, 206, 1],
    ]
    // 50 to the left, 60 above, 100 in the corner: nearest to 10 is left.
    expect([...(await decodePng(png({ width: 2, colour: 0, rows: falling }))).pixels]).toEqual(
      [100, 60, 50, 51].flatMap(grey),
    )
    const between = [
      [0, 100, 120],
      [4, 240, 1],
    ]
    // 84 to the left, 120 above, 100 in the corner: nearest to 104 is the corner.
    expect([...(await decodePng(png({ width: 2, colour: 0, rows: between }))).pixels]).toEqual(
      [100, 120, 84, 101].flatMap(grey),
    )
  })

  it.each([
    ['grey with opacity', { width: 1, colour: 4, rows: [[0, 7, 8]] }, [7, 7, 7, 8]],
    ['colour', { width: 1, colour: 2, rows: [[0, 1, 2, 3]] }, [1, 2, 3, 255]],
    ['colour with opacity', { width: 1, colour: 6, rows: [[0, 1, 2, 3, 4]] }, [1, 2, 3, 4]],
    [
      'a palette',
      {
        width: 3,
        colour: 3,
        rows: [[0, 1, 0, 1]],
        others: [part('PLTE', Buffer.from([1, 2, 3, 4, 5, 6])), part('tRNS', Buffer.from([99]))],
      },
      [4, 5, 6, 255, 1, 2, 3, 99, 4, 5, 6, 255],
    ],
  ])('reads %s', async (_, recipe, pixels) => {
    expect([...(await decodePng(png(recipe))).pixels]).toEqual(pixels)
  })

  const good = { width: 1, colour: 0, rows: [[0, 1]] }
  const damaged = png(good)
  damaged[damaged.length - 20]! ^= 1
  it.each([
    ['another format', Buffer.from('GIF89a, for example'), 'This is not a PNG file'],
    ['a file cut short', png(good).subarray(0, 50), 'The PNG breaks off after 50 bytes'],
    ['a flipped bit', damaged, 'The IDAT part of the PNG is damaged'],
    ['too few rows', png({ ...good, height: 2 }), 'The PNG ends before its last row'],
    [
      'a size that no memory holds',
      png({ ...good, width: 2 ** 31 - 1, height: 9 }),
      'An image of 2147483647 × 9 pixels',
    ],
    ['no pixel', png({ ...good, width: 0 }), 'An image of 0 × 1 pixels'],
    ['16 bits', png({ ...good, bits: 16 }), 'A PNG of 16 bits'],
    ['an interlaced one', png({ ...good, interlace: 1 }), 'interlace 1 is not read here'],
    ['a filter that does not exist', png({ ...good, rows: [[5, 1]] }), 'a row of filter 5'],
    ['a colour that does not exist', png({ ...good, colour: 3 }), 'uses colour 1, which it does not define'],
  ])('refuses %s', async (_, file, message) => {
    await expect(decodePng(file)).rejects.toThrow(message)
  })

  it('refuses to unpack more than the header promises', async () => {
    const bomb = png({ width: 1, colour: 0, rows: [Array.from({ length: 10_000 }, () => 0)], height: 1 })
    await expect(decodePng(bomb)).rejects.toMatchObject({ code: 'ERR_BUFFER_TOO_LARGE' })
  })

  it('reads images that other programs wrote', async () => {
    const data = join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '..', 'data')
    const seen = await Promise.all(
      ['7zip', 'ffox', 'gimp'].map(async (name) => {
        const { width, height, pixels } = await decodePng(await readFile(join(data, `${name}.png`)))
        return [name, width, height, createHash('sha256').update(pixels).digest('hex').slice(0, 8)]
      }),
    )
    expect(seen).toEqual([
      ['7zip', 100, 100, '1183fb05'],
      ['ffox', 100, 100, '7e0aac7d'],
      ['gimp', 100, 100, 'ba332814'],
    ])
  })
})

describe('encodePng', () => {
  it('writes rows without a filter, in a file whose parts are whole', async () => {
    const pixels = Uint8Array.from({ length: 16 }, (_, index) => index)
    const file = await encodePng({ width: 2, height: 2, pixels })
    expect(file.subarray(0, 33)).toEqual(
      Buffer.concat([signature, part('IHDR', Buffer.from([0, 0, 0, 2, 0, 0, 0, 2, 8, 6, 0, 0, 0]))]),
    )
    expect([...inflateSync(file.subarray(41, -16))]).toEqual([
      0, 0, 1, 2, 3, 4, 5, 6, 7, 0, 8, 9, 10, 11, 12, 13, 14, 15,
    ])
    expect(await decodePng(file)).toEqual({ width: 2, height: 2, pixels })
  })
})

describe('thumbnail', () => {
  const of = (width: number, height: number, pixels: readonly number[]) => ({
    width,
    height,
    pixels: Uint8Array.from(pixels),
  })

  it('gives each new pixel the mean of the old ones', () => {
    const rows = [10, 30, 100, 100, 50, 70, 200, 0]
    expect(thumbnail(of(4, 2, rows.flatMap(grey)), 2)).toEqual(of(2, 1, [40, 100].flatMap(grey)))
  })

  it('counts an old pixel on the border for both sides, by its share', () => {
    // Three become two: each covers one and a half.
    expect(thumbnail(of(3, 1, [0, 90, 255].flatMap(grey)), 2)).toEqual(of(2, 1, [30, 200].flatMap(grey)))
  })

  it('takes no colour from what cannot be seen', () => {
    expect(thumbnail(of(2, 1, [200, 100, 0, 255, 9, 9, 9, 0]), 1)).toEqual(of(1, 1, [200, 100, 0, 128]))
    expect(thumbnail(of(2, 1, [7, 7, 7, 0, 9, 9, 9, 0]), 1)).toEqual(of(1, 1, [0, 0, 0, 0]))
  })

  it('leaves a small image as it is, and a thin one at least a pixel wide', () => {
    const small = of(2, 1, [1, 2, 3, 4, 5, 6, 7, 8])
    expect(thumbnail(small, 96)).toEqual(of(2, 1, [1, 2, 3, 4, 5, 6, 7, 8]))
    expect(thumbnail(of(1, 300, Array.from({ length: 300 }, () => grey(9)).flat()), 3)).toEqual(
      of(1, 3, [9, 9, 9].flatMap(grey)),
    )
  })
})
