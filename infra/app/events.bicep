// Subscribes the functions VmWritten and VmDeleted to the machines of one Azure subscription. A deployment of its own, after the app is
// published: Event Grid checks that a function exists and has an Event Grid trigger. Once per subscription in scope, in a resource group of it.

@description('Name of the Functions app.')
param functionAppName string

@description('Name of the storage account of the deployment.')
param storageAccountName string

@description('Container for events that could not be delivered.')
param deadLetterContainer string = 'event-dead-letters'

@description('Id of the subscription that Lifeboat is deployed in.')
param lifeboatSubscriptionId string = subscription().subscriptionId

@description('Resource group that Lifeboat is deployed in.')
param lifeboatResourceGroup string = resourceGroup().name

@description('Name of the system topic. Azure allows one per subscription: if there is one, give its name and deploy into its resource group.')
param systemTopicName string = 'lifeboat-subscription-events'

@description('What the names of the event subscriptions begin with; another deployment of Lifeboat on the same topic needs another.')
@minLength(3)
@maxLength(50)
param eventSubscriptionPrefix string = 'lifeboat'

@description('Tags on the system topic.')
param tags { *: string } = {}

// Which function hears of what. The exact operation leaves out a machine's children (extensions, run commands), which a subject filter lets in.
var heard = [
  {
    function: 'VmWritten'
    suffix: 'vm-written'
    type: 'Microsoft.Resources.ResourceWriteSuccess'
    operation: 'Microsoft.Compute/virtualMachines/write'
  }
  {
    function: 'VmDeleted'
    suffix: 'vm-deleted'
    type: 'Microsoft.Resources.ResourceDeleteSuccess'
    operation: 'Microsoft.Compute/virtualMachines/delete'
  }
]

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  scope: resourceGroup(lifeboatSubscriptionId, lifeboatResourceGroup)
  name: functionAppName
}

resource functions 'Microsoft.Web/sites/functions@2024-11-01' existing = [
  for one in heard: {
    parent: app
    name: one.function
  }
]

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: systemTopicName
  #disable-next-line no-hardcoded-location // a subscription has no region; its topic is always global
  location: 'global'
  tags: tags
  // For the dead letters alone, and system-assigned, since only that passes a storage firewall as a trusted service. Microsoft's page
  // on identities of system topics allows them on topics of subscriptions; an older edition of it did not.
  identity: { type: 'SystemAssigned' }
  properties: {
    source: subscription().id
    topicType: 'Microsoft.Resources.Subscriptions'
  }
}

module deadLetterRole 'dead_letter_role.bicep' = {
  name: 'lifeboat-dead-letter-role-${uniqueString(topic.id)}'
  scope: resourceGroup(lifeboatSubscriptionId, lifeboatResourceGroup)
  params: {
    storageAccountName: storageAccountName
    containerName: deadLetterContainer
    topicId: topic.id
    principalId: topic.identity.principalId
  }
}

resource subscriptions 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = [
  for (one, i) in heard: {
    parent: topic
    name: '${eventSubscriptionPrefix}-${one.suffix}'
    properties: {
      eventDeliverySchema: 'EventGridSchema' // the receivers take CloudEvents too
      destination: {
        endpointType: 'AzureFunction'
        properties: {
          resourceId: functions[i].id
          maxEventsPerBatch: 1 // a batch is answered as one, so one bad event would bring the others back
          preferredBatchSizeInKilobytes: 64
        }
      }
      filter: {
        includedEventTypes: [one.type]
        enableAdvancedFilteringOnArrays: false
        advancedFilters: [
          {
            operatorType: 'StringIn'
            key: 'data.operationName'
            values: [one.operation]
          }
        ]
      }
      retryPolicy: {
        maxDeliveryAttempts: 30
        eventTimeToLiveInMinutes: 1440
      }
      deadLetterWithResourceIdentity: {
        identity: { type: 'SystemAssigned' }
        deadLetterDestination: {
          endpointType: 'StorageBlob'
          properties: {
            resourceId: deadLetterRole.outputs.storageAccountId
            blobContainerName: deadLetterContainer
          }
        }
      }
    }
  }
]

@description('Resource ids of the event subscriptions.')
output eventSubscriptionIds string[] = [for (one, i) in heard: subscriptions[i].id]
