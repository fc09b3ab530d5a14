// Versions of a definition, and which of two is the newer.

/**
 * Orders versions as people read them: numbers by their value, so 10 comes after 9 and 1.10.0 after 1.9.2, everything else by its letters;
 * what has a part behind a hyphen, as 2.0.0-beta, comes before what has none. What follows a plus sign, as 2.0.0+7f3a, tells builds of one version apart: none is newer.
 */
export function compareVersions(left: string, right: string): number {
  const [leftCore, leftRest] = partsOf(left)
  const [rightCore, rightRest] = partsOf(right)
  const byCore = compareNatural(leftCore, rightCore)
  if (byCore !== 0) return byCore
  if (leftRest === undefined || rightRest === undefined)
    return Number(leftRest === undefined) - Number(rightRest === undefined)
  return compareNatural(leftRest, rightRest)
}

function partsOf(version: string): readonly [core: string, rest: string | undefined] {
  const plain = version.replace(/^v(?=\d)/, '').replace(/\+.*$/s, '')
  const at = /^\d/.test(plain) ? plain.indexOf('-') : -1
  return at === -1 ? [plain, undefined] : [plain.slice(0, at), plain.slice(at + 1)]
}

function compareNatural(left: string, right: string): number {
  const [lefts, rights] = [piecesOf(left), piecesOf(right)]
  for (let place = 0; place < Math.max(lefts.length, rights.length); place++) {
    const order = comparePieces(lefts[place], rights[place])
    if (order !== 0) return order
  }
  return 0
}

function piecesOf(text: string): string[] {
  return text.match(/\d+|[^\d.]+/g) ?? []
}

/** What is longer is newer: 1.0.1 comes after 1.0; a number comes before letters. */
function comparePieces(left: string | undefined, right: string | undefined): number {
  if (left === undefined || right === undefined) return Number(left !== undefined) - Number(right !== undefined)
  const [isLeft, isRight] = [/^\d/.test(left), /^\d/.test(right)]
  if (isLeft !== isRight) return isLeft ? -1 : 1
  if (!isLeft) return left === right ? 0 : left < right ? -1 : 1
  const difference = BigInt(left) - BigInt(right)
  return difference === 0n ? 0 : difference < 0n ? -1 : 1
}
