import test from 'ava'
import { histories } from './histories.js'
import { mongo } from './stages/mongo.js'
import { sql } from './stages/sql.js'

histories(test, [...sql, mongo])
