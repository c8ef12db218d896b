// A cart in a session in Redis: Express and express-session as their documentation has them, one process a core.
import cluster from 'node:cluster'
import { availableParallelism } from 'node:os'
import { RedisStore } from 'connect-redis'
import express from 'express'
import session from 'express-session'
import { createClient } from 'redis'

const [redisUrl, port] = process.argv.slice(2)

const shown = cart => ({ lines: cart, quantity: cart.reduce((sum, line) => sum + line.quantity, 0) })

async function serve() {
  const client = createClient({ url: redisUrl })
  await client.connect()
  const app = express()
  app.use(express.json())
  app.use(session({
    store: new RedisStore({ client, prefix: 'shop:' }),
    secret: 'a secret of the measurement',
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: 30 * 24 * 3600 * 1000 },
  }))
  app.get('/v1/cart', (request, response) => response.json(shown(request.session.cart ?? [])))
  app.delete('/v1/cart', (request, response) => response.json(shown(request.session.cart = [])))
  app.post('/v1/cart/lines', (request, response) => {
    const cart = request.session.cart ??= []
    const { sku, quantity } = request.body
    const line = cart.find(own => own.sku === sku)
    if (line) line.quantity += quantity
    else cart.push({ sku, quantity })
    response.json(shown(cart))
  })
  app.listen(Number(port), '127.0.0.1')
}

if (cluster.isPrimary) {
  for (let at = 0; at < availableParallelism(); at++) cluster.fork()
  process.on('SIGTERM', () => process.exit(0))
} else {
  await serve()
}
