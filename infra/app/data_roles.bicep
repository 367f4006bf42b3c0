// What the app's identity may do with data: built-in roles, each on the narrowest resource that works.
// The GUIDs are those of Azure's built-in roles. Assignments are named after resource ids, which a what-if knows beforehand.

@description('Name of the identity that gets the roles, in this resource group.')
param identityName string

@description('Name of the storage account, in this resource group.')
param storageAccountName string

@description('Name of the Service Bus namespace, in this resource group.')
param serviceBusName string

@description('Name of the Application Insights component, in this resource group.')
param insightsName string

var role = {
  // The host: locks, timer status, function keys, and making its own containers, which needs Owner rather than Contributor (documented for
  // AzureWebJobsStorage by identity). It covers the package and Lifeboat's store too. Queues and tables are not given: the host wants
  // queues only for blob triggers, tables only to keep its diagnostic events, and neither is used here.
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  // The triggers of Reconcile, Command and SagaWoken, and the platform's scale controller, which reads the queues' length with the same identity.
  serviceBusDataReceiver: '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0'
  // VmWritten, VmDeleted, PolicySweep, Reconcile's next looks, Command's putting off, RegionAlert and RegionHealthChanged: every message is sent by our own client.
  serviceBusDataSender: '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39'
  // Host and handler writing telemetry with a token.
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}

var queues = ['reconcile', 'commands', 'sagas']

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageAccountName
}

resource bus 'Microsoft.ServiceBus/namespaces@2024-01-01' existing = {
  name: serviceBusName

  // Each has a function that listens, and each is sent to by our own client.
  resource queue 'queues' existing = [
    for name in queues: {
      name: name
    }
  ]
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource blobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: storage
  name: guid(storage.id, identity.id, role.storageBlobDataOwner)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.storageBlobDataOwner)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource receive 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, at) in queues: {
    scope: bus::queue[at]
    name: guid(bus::queue[at].id, identity.id, role.serviceBusDataReceiver)
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.serviceBusDataReceiver)
      principalId: identity.properties.principalId
      principalType: 'ServicePrincipal'
    }
  }
]

resource send 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, at) in queues: {
    scope: bus::queue[at]
    name: guid(bus::queue[at].id, identity.id, role.serviceBusDataSender)
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.serviceBusDataSender)
      principalId: identity.properties.principalId
      principalType: 'ServicePrincipal'
    }
  }
]

resource telemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, identity.id, role.monitoringMetricsPublisher)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.monitoringMetricsPublisher)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}
