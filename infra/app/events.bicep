// Subscribes the function VmWritten to the machines of one Azure subscription. A deployment of its own, after the app is published:
// Event Grid checks that the function exists and has an Event Grid trigger. Once per subscription in scope, in a resource group of it.

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

@description('Name of the event subscription; another deployment of Lifeboat on the same topic needs another.')
@minLength(3)
@maxLength(64)
param eventSubscriptionName string = 'lifeboat-vm-written'

@description('Tags on the system topic.')
param tags { *: string } = {}

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  scope: resourceGroup(lifeboatSubscriptionId, lifeboatResourceGroup)
  name: functionAppName

  resource vmWritten 'functions' existing = {
    name: 'VmWritten'
  }
}

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

resource vmWritten 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: eventSubscriptionName
  properties: {
    eventDeliverySchema: 'EventGridSchema' // the receiver takes CloudEvents too
    destination: {
      endpointType: 'AzureFunction'
      properties: {
        resourceId: app::vmWritten.id
        maxEventsPerBatch: 1 // a batch is answered as one, so one bad event would bring the others back
        preferredBatchSizeInKilobytes: 64
      }
    }
    filter: {
      includedEventTypes: ['Microsoft.Resources.ResourceWriteSuccess']
      enableAdvancedFilteringOnArrays: false
      advancedFilters: [
        {
          // The exact name leaves out the writes of a machine's children (extensions, run commands), which a subject filter lets in.
          operatorType: 'StringIn'
          key: 'data.operationName'
          values: ['Microsoft.Compute/virtualMachines/write']
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

@description('Resource id of the event subscription.')
output eventSubscriptionId string = vmWritten.id
