using 'main.bicep'

// What every deployment says for itself. Everything else has a default in main.bicep, with its reason.

param deployment = 'lb-weu'

// The application that persons' tokens are for: its client id (infra/README.md, Who gives orders).
param audience = '00000000-0000-0000-0000-000000000000'

// Leave out to protect the subscription that Lifeboat is deployed in, or name all of them:
// param subscriptions = ['00000000-0000-0000-0000-000000000000']

// What policies and recovery plans ask for besides restore points needs its role (infra/README.md, Rights):
// param roles = ['points', 'snapshots', 'vaults', 'recovery', 'failover']

param tags = {
  application: 'lifeboat'
}
