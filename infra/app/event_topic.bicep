// The topic on which Lifeboat tells other systems what it did: CloudEvents 1.0. Who listens subscribes it; nothing here does.
// No key works here: local authentication is off.

@description('Name of the topic, unique in the region.')
@minLength(3)
@maxLength(50)
param name string

@description('Region.')
param location string

@description('Tags on everything here.')
param tags { *: string }

@description('Name of the identity that may publish, in this resource group.')
param identityName string

// The GUID is that of Azure's built-in role EventGrid Data Sender: publishing to this topic, and nothing else. From general knowledge
// (entry `topic-right` of `lifeboat evidence`): with a wrong one the deployment fails, or the handler alarms and keeps its events.
var eventGridDataSender = 'd5a91429-5739-47e2-a06b-3470a27159e7'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource topic 'Microsoft.EventGrid/topics@2025-02-15' = {
  name: name
  location: location
  tags: tags
  properties: {
    inputSchema: 'CloudEventSchemaV1_0'
    disableLocalAuth: true
    minimumTlsVersionAllowed: '1.2'
    publicNetworkAccess: 'Enabled' // the token alone decides; private endpoints are not made by this template
  }
}

resource send 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: topic
  name: guid(topic.id, identity.id, eventGridDataSender)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', eventGridDataSender)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

@description('Where events are published: the handler\'s setting LIFEBOAT_EVENTS_URL.')
output endpoint string = topic.properties.endpoint

@description('Name of the topic: other systems subscribe to it.')
output name string = topic.name
