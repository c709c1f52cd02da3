// A CommonJS host that uses the result of require().
const Fastify = require('fastify')
const surface = require('riverhook')
const resources = require('riverhook/resources')
const sources = require('riverhook/sources')
const testing = require('riverhook/testing')

const { tryOut } = require('./try-out.cjs')

tryOut(Fastify, surface, testing, resources, sources)
