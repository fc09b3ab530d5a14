// Where a place in the United States lies on the page: equal-area, with Alaska, Hawaii and Puerto Rico in frames of their own.

import { pixel } from './svg.ts'

export type Point = readonly [x: number, y: number]

/** The outline file: TopoJSON, in which neighbouring states share their border lines (“arcs”). */
export interface Outline {
  readonly transform: { readonly scale: Point; readonly translate: Point }
  readonly arcs: readonly (readonly Point[])[]
  readonly objects: { readonly states: { readonly geometries: readonly StateShape[] } }
}

interface StateShape {
  readonly type: string | null
  readonly id: number
  readonly arcs?: readonly unknown[]
}

export interface Frame {
  readonly name: string
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** A part of the country with its own projection: `center` is [longitude, latitude], and lands on `at`. */
interface Region {
  readonly frame: Frame
  /** Postal codes and the census bureau's numbers of its states; empty takes all that no other region has. */
  readonly postal: readonly string[]
  readonly census: readonly number[]
  readonly project: (longitude: number, latitude: number) => Point
}

/** Of the map, in pixels. */
export const mapSize = { width: 960, height: 630 } as const

/** Two points nearer than this on the page are drawn as one. */
const finestDetail = 0.8

const mainland: Region = {
  frame: { name: '', x: 0, y: 50, width: 960, height: 580 },
  postal: [],
  census: [],
  project: albers({ parallels: [29.5, 45.5], center: [-96, 38.2], at: [476, 318], zoom: 1090 }),
}

const insets: readonly Region[] = [
  {
    frame: { name: 'Alaska', x: 8, y: 486, width: 226, height: 138 },
    postal: ['AK'],
    census: [2],
    project: albers({ parallels: [55, 65], center: [-154, 62.2], at: [132, 558], zoom: 345 }),
  },
  {
    frame: { name: 'Hawaii', x: 242, y: 524, width: 136, height: 100 },
    postal: ['HI'],
    census: [15],
    project: albers({ parallels: [8, 18], center: [-157.4, 20.6], at: [309, 586], zoom: 1050 }),
  },
  {
    frame: { name: 'Puerto Rico and Virgin Islands', x: 758, y: 560, width: 194, height: 64 },
    postal: ['PR', 'VI'],
    census: [72, 78],
    project: albers({ parallels: [8, 18], center: [-65.95, 18.2], at: [855, 598], zoom: 1900 }),
  },
]

export const insetFrames: readonly Frame[] = insets.map(({ frame }) => frame)

/** Where an airport is drawn; undefined when it lies off this map (Guam, say). */
export function locate(place: { state: string; latitude: number; longitude: number }): Point | undefined {
  const region = insets.find(({ postal }) => postal.includes(place.state)) ?? mainland
  const point = region.project(place.longitude, place.latitude)
  return isInside(region.frame, point) ? point : undefined
}

/** All states as the data of one SVG path. */
export function statesPath(outline: Outline): string {
  const arcs = outline.arcs.map((arc) => decodeArc(outline, arc))
  return outline.objects.states.geometries
    .flatMap((state) => {
      const region = insets.find(({ census }) => census.includes(state.id)) ?? mainland
      return ringsOf(state).map((ring) => ringPath(ring, arcs, region))
    })
    .join('')
}

interface AlbersOptions {
  readonly parallels: Point
  readonly center: Point
  readonly at: Point
  readonly zoom: number
}

/** Albers' conic equal-area projection on a sphere (Snyder, Map Projections: A Working Manual, 1987, page 100). */
function albers({ parallels, center, at, zoom }: AlbersOptions): Region['project'] {
  const [south, north] = parallels.map(toRadians) as [number, number]
  const n = (Math.sin(south) + Math.sin(north)) / 2
  const c = Math.cos(south) ** 2 + 2 * n * Math.sin(south)
  const radius = (latitude: number) => Math.sqrt(c - 2 * n * Math.sin(toRadians(latitude))) / n
  const radiusAtCenter = radius(center[1])
  return (longitude, latitude) => {
    // The Aleutian islands reach past 180°; counted on westward they stay beside the rest of Alaska.
    const west = longitude > 0 ? longitude - 360 : longitude
    const angle = n * toRadians(west - center[0])
    const distance = radius(latitude)
    return [at[0] + zoom * distance * Math.sin(angle), at[1] - zoom * (radiusAtCenter - distance * Math.cos(angle))]
  }
}

function toRadians(degrees: number): number {
  return (degrees * Math.PI) / 180
}

/** Arcs are stored as steps from point to point on a whole-number grid. */
function decodeArc({ transform }: Outline, arc: readonly Point[]): Point[] {
  let [x, y] = [0, 0]
  return arc.map(([stepX, stepY]) => {
    x += stepX
    y += stepY
    return [x * transform.scale[0] + transform.translate[0], y * transform.scale[1] + transform.translate[1]]
  })
}

function ringsOf({ type, arcs = [] }: StateShape): number[][] {
  if (type === 'Polygon') return arcs as number[][]
  return type === 'MultiPolygon' ? (arcs as number[][][]).flat() : []
}

function ringPath(ring: readonly number[], arcs: readonly Point[][], { project, frame }: Region): string {
  const points = ring.flatMap((index) => {
    const line = (index < 0 ? arcs[~index]!.toReversed() : arcs[index]!).map(([x, y]) => project(x, y))
    return thin(line)
  })
  if (points.length < 4 || !points.some((point) => isInside(frame, point))) return ''
  return drawRing(points)
}

/** Leaves out detail too fine to see; keeps both ends, so that neighbouring states still meet. */
function thin(line: readonly Point[]): Point[] {
  let last = line[0]!
  return line.filter((point, index) => {
    const far = Math.hypot(point[0] - last[0], point[1] - last[1]) >= finestDetail
    const isKept = far || index === 0 || index === line.length - 1
    if (isKept) last = point
    return isKept
  })
}

function drawRing(points: readonly Point[]): string {
  const grid = points.map(([x, y]) => [Math.round(x * 10), Math.round(y * 10)] as const)
  const steps = grid.slice(1).map(([x, y], index) => {
    const [fromX, fromY] = grid[index]!
    return x === fromX && y === fromY ? '' : `l${pixel((x - fromX) / 10)},${pixel((y - fromY) / 10)}`
  })
  const [startX, startY] = grid[0]!
  return `M${pixel(startX / 10)},${pixel(startY / 10)}${steps.join('')}z`
}

function isInside({ x, y, width, height }: Frame, point: Point): boolean {
  return point[0] >= x && point[0] <= x + width && point[1] >= y && point[1] <= y + height
}
