// The namespace and its queues. Standard is the least tier with duplicate detection and scheduled messages.
// No connection string works here: local authentication is off.

@description('Name of the namespace, unique in the world.')
@minLength(6)
@maxLength(50)
param name string

@description('Region.')
param location string

@description('Tags on everything here.')
param tags { *: string }

// Functions of today listen to all three; what is known of a queue is set when it is made, because
// requiresDuplicateDetection can be set only when a queue is made.
var queues = ['reconcile', 'commands', 'sagas']

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: 'Standard'
    tier: 'Standard'
  }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: 'Enabled' // private endpoints and address rules are Premium's; here the token alone decides
  }
}

resource queue 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = [
  for name in queues: {
    parent: namespace
    name: name
    properties: {
      requiresDuplicateDetection: true
      duplicateDetectionHistoryTimeWindow: 'P1D' // Event Grid delivers again for up to 24 hours; a message id names the work
      lockDuration: 'PT5M' // the longest there is; the host renews it up to maxAutoLockRenewalDuration of host.json
      maxDeliveryCount: 50 // the host abandons at once, so ten deliveries would burn in seconds
      defaultMessageTimeToLive: 'P14D' // two weeks of nobody listening, then a dead letter rather than a silent loss
      deadLetteringOnMessageExpiration: true
      enablePartitioning: false // duplicate detection then compares the message id alone
      requiresSession: false // machines are serialised by leases, not by sessions
      maxSizeInMegabytes: 1024
    }
  }
]

@description('Resource id of the namespace.')
output id string = namespace.id

@description('Host name that the trigger and our client talk to.')
output fullyQualifiedNamespace string = split(replace(namespace.properties.serviceBusEndpoint, 'https://', ''), ':')[0]
