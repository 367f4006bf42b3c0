// Lifeboat in one region: the app, its identity, its storage and queues, its telemetry and its rights. Into one resource group, but for the
// role, which is made in each subscription in scope. The Event Grid subscription is not here: it needs the published functions
// (app/events.bicep). infra/README.md is the operator's book.

targetScope = 'resourceGroup'

@description('Id of this deployment, in names, tags and the handler\'s setting LIFEBOAT_DEPLOYMENT. Do not change it later.')
@minLength(3)
@maxLength(20)
param deployment string

@description('Region. One deployment per region.')
param location string = resourceGroup().location

@description('Ids of the subscriptions whose machines are in scope.')
@minLength(1)
param subscriptions string[] = [subscription().subscriptionId]

@description('Regions whose machines this deployment changes. No other deployment may own one of them.')
@minLength(1)
param ownedRegions string[] = [location]

@description('Custom roles of the identity, for what policies and recovery plans ask: restore points, snapshots of disks, protection in vaults, how regions are, failover. All but the first and the fourth hold strong rights.')
param roles ('points' | 'snapshots' | 'vaults' | 'recovery' | 'failover')[] = ['points']

@description('Memory of an instance. The handler needs some 15 MB, the Functions host the rest.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 512

@description('Most instances of all functions together: a limit on cost and on the load on ARM.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('HTTP requests that one instance takes at a time.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 16

@description('Subnet for the app and the storage account. Empty: public addresses, where tokens and keys decide.')
param subnetId string = ''

@description('IPv4 addresses or ranges of the operators (single ones without /32). Not empty: the app answers only these and Event Grid.')
param operatorAddressRanges string[] = []

@description('Days in which deleted blobs and containers can be brought back.')
@minValue(7)
@maxValue(365)
param softDeleteDays int = 30

@description('Days that telemetry is kept.')
@minValue(30)
@maxValue(730)
param telemetryDays int = 90

@description('Most gigabytes of telemetry a day.')
@minValue(1)
param telemetryQuotaGb int = 5

@description('Whether the handler\'s own telemetry may come with the connection string alone. It sends no token yet.')
param telemetryLocalAuth bool = true

@description('Client id of the application that persons\' tokens are for (infra/README.md, "Who gives orders"). Reading, and every order but a stop and a hold, needs such a token.')
@minLength(36)
@maxLength(36)
param audience string

@description('An OTLP endpoint for the handler\'s telemetry. Empty: Application Insights alone.')
param otlpEndpoint string = ''

@description('Whether other systems are told what Lifeboat does: makes an Event Grid topic that they can subscribe to.')
param eventTopic bool = true

@description('Resource id of a storage account in this deployment\'s region that Site Recovery is to use as cache when a failover is protected the other way. Without it that step asks a person.')
param replicationCache string = ''

@description('Action groups that are told of dead letters.')
param actionGroupIds string[] = []

@description('Tags on everything.')
param tags { *: string } = {}

// Names are made here and passed down, not read back from modules, so that a what-if can follow them.
var suffix = uniqueString(resourceGroup().id, deployment)
var storageAccountName = 'lifeboat${suffix}'
var serviceBusName = '${deployment}-bus-${suffix}' // Azure refuses names that end with -sb or -mgmt
var insightsName = '${deployment}-insights'
var allTags = union(tags, { 'lifeboat-deployment': deployment })

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: '${deployment}-identity'
  location: location
  tags: allTags
}

module storage 'app/storage.bicep' = {
  name: '${deployment}-storage'
  params: {
    name: storageAccountName
    location: location
    tags: allTags
    subnetId: subnetId
    operatorAddressRanges: operatorAddressRanges
    softDeleteDays: softDeleteDays
  }
}

module bus 'app/service_bus.bicep' = {
  name: '${deployment}-service-bus'
  params: {
    name: serviceBusName
    location: location
    tags: allTags
  }
}

module topic 'app/event_topic.bicep' = if (eventTopic) {
  name: '${deployment}-event-topic'
  params: {
    name: '${deployment}-events'
    location: location
    tags: allTags
    identityName: identity.name
  }
}

module monitoring 'app/monitoring.bicep' = {
  name: '${deployment}-monitoring'
  params: {
    workspaceName: '${deployment}-logs'
    insightsName: insightsName
    alertName: '${deployment}-dead-letters'
    location: location
    tags: allTags
    retentionDays: telemetryDays
    dailyQuotaGb: telemetryQuotaGb
    localAuth: telemetryLocalAuth
    serviceBusId: bus.outputs.id
    actionGroupIds: actionGroupIds
  }
}

module dataRoles 'app/data_roles.bicep' = {
  name: '${deployment}-data-roles'
  dependsOn: [storage, bus, monitoring]
  params: {
    identityName: identity.name
    storageAccountName: storageAccountName
    serviceBusName: serviceBusName
    insightsName: insightsName
  }
}

module customRoles 'app/roles.bicep' = [
  for id in subscriptions: {
    name: '${deployment}-roles-${id}'
    scope: subscription(id)
    params: {
      deployment: deployment
      identityId: identity.id
      principalId: identity.properties.principalId
      roles: roles
    }
  }
]

module functionApp 'app/function_app.bicep' = {
  name: '${deployment}-function-app'
  dependsOn: [dataRoles] // the host starts at once, and a host that may not read its storage goes into an error state
  params: {
    name: '${deployment}-${suffix}'
    location: location
    tags: allTags
    identityName: identity.name
    storageAccountName: storageAccountName
    packageUrl: storage.outputs.packageUrl
    insightsName: insightsName
    handler: {
      deployment: deployment
      storeUrl: storage.outputs.storeUrl
      ownedRegions: ownedRegions
      subscriptions: subscriptions
      serviceBusNamespace: bus.outputs.fullyQualifiedNamespace
      eventsUrl: topic.?outputs.endpoint ?? ''
      replicationCache: replicationCache
      otlpEndpoint: otlpEndpoint
      tenantId: tenant().tenantId
      audience: audience
    }
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    httpConcurrency: httpConcurrency
    subnetId: subnetId
    operatorAddressRanges: operatorAddressRanges
  }
}

@description('Name of the Functions app: publish to it, subscribe events to it.')
output functionAppName string = functionApp.outputs.name

@description('Host name of the Functions app.')
output functionAppHostName string = functionApp.outputs.hostName

@description('Name of the storage account.')
output storageAccountName string = storageAccountName

@description('Container that is the store; policies go here.')
output storeContainer string = storage.outputs.storeContainer

@description('Container for events that could not be delivered.')
output deadLetterContainer string = storage.outputs.deadLetterContainer

@description('Name of the Service Bus namespace.')
output serviceBusName string = serviceBusName

@description('Name of the topic that other systems subscribe to; empty where there is none.')
output eventTopicName string = topic.?outputs.name ?? ''

@description('Object id of the identity, for assignments of your own.')
output identityPrincipalId string = identity.properties.principalId
