// Vendure on PostgreSQL as its documentation sets it up, with one product and without its limits on the items of an order.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bootstrap, DefaultJobQueuePlugin, DefaultLogger, dummyPaymentHandler, LogLevel } from '@vendure/core'
import { populate } from '@vendure/core/cli/index.js'

const [databasePort, port, what] = process.argv.slice(2)
const most = 100_000_000

const config = {
  apiOptions: { hostname: '127.0.0.1', port: Number(port), adminApiPath: 'admin-api', shopApiPath: 'shop-api' },
  authOptions: {
    tokenMethod: ['bearer', 'cookie'],
    superadminCredentials: { identifier: 'owner', password: 'a password of the measurement' },
    cookieOptions: { secret: 'a secret of the measurement' },
  },
  dbConnectionOptions: {
    type: 'postgres',
    synchronize: what === 'populate',
    logging: false,
    host: '127.0.0.1',
    port: Number(databasePort),
    username: 'postgres',
    database: 'postgres',
  },
  orderOptions: { orderItemsLimit: most, orderLineItemsLimit: most },
  paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
  logger: new DefaultLogger({ level: LogLevel.Warn }),
  plugins: [DefaultJobQueuePlugin.init({})],
}

const shop = {
  defaultLanguage: 'en',
  defaultZone: 'Europe',
  taxRates: [{ name: 'Standard', percentage: 20 }],
  shippingMethods: [{ name: 'Standard', price: 500 }],
  paymentMethods: [],
  countries: [{ name: 'Germany', code: 'DE', zone: 'Europe' }],
  collections: [],
}

const products = `name,slug,description,assets,facets,optionGroups,optionValues,sku,price,taxCategory,stockOnHand,trackInventory,variantAssets,variantFacets
Mug,mug,A mug.,,,,,mug,12.99,standard,${most},false,,
`

if (what === 'populate') {
  const folder = mkdtempSync(join(tmpdir(), 'peer-'))
  process.on('exit', () => rmSync(folder, { recursive: true }))
  const csv = join(folder, 'products.csv')
  writeFileSync(csv, products)
  const app = await populate(() => bootstrap(config), shop, csv)
  await app.close()
  process.exit(0)
}
await bootstrap(config)
