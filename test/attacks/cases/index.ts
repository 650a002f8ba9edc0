import type { Case } from '../stage.js'
import { depthAndSize } from './depth-and-size.js'
import { duplicates } from './duplicates.js'
import { filling } from './filling.js'
import { fixation } from './fixation.js'
import { forgedCookies } from './forged-cookies.js'
import { leaks } from './leaks.js'
import { patterns } from './patterns.js'
import { plantedTexts } from './planted-texts.js'
import { prototypeKeys } from './prototype-keys.js'
import { twoMiddlewares } from './two-middlewares.js'

export const cases: readonly Case[] = [
  ...fixation, ...forgedCookies, ...duplicates, ...twoMiddlewares, ...prototypeKeys, ...depthAndSize, ...plantedTexts, ...patterns, ...filling, ...leaks
]
