// Subscribes the function RegionHealthChanged to the health of the resources of one Azure subscription. A deployment of its own, after the
// app is published: Event Grid checks that a function exists and has an Event Grid trigger. Once per subscription in scope, in a resource
// group of it, where recovery plans are in force. Whoever deploys it needs Microsoft.ResourceNotifications/systemTopics/subscribeToHealthResources/action.

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
param systemTopicName string = 'lifeboat-health-events'

@description('What the names of the event subscriptions begin with; another deployment of Lifeboat on the same topic needs another.')
@minLength(3)
@maxLength(50)
param eventSubscriptionPrefix string = 'lifeboat'

@description('Tags on the system topic.')
param tags { *: string } = {}

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  scope: resourceGroup(lifeboatSubscriptionId, lifeboatResourceGroup)
  name: functionAppName
}

resource function 'Microsoft.Web/sites/functions@2024-11-01' existing = {
  parent: app
  name: 'RegionHealthChanged'
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
    topicType: 'Microsoft.ResourceNotifications.HealthResources'
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

resource subscribed 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: '${eventSubscriptionPrefix}-region-health-changed'
  properties: {
    eventDeliverySchema: 'EventGridSchema' // the receiver takes CloudEvents too
    destination: {
      endpointType: 'AzureFunction'
      properties: {
        resourceId: function.id
        maxEventsPerBatch: 100 // an outage tells of each machine; what was heard before is known by its id, so that a batch may come again
        preferredBatchSizeInKilobytes: 64
      }
    }
    filter: {
      includedEventTypes: [
        'Microsoft.ResourceNotifications.HealthResources.AvailabilityStatusChanged'
        'Microsoft.ResourceNotifications.HealthResources.ResourceAnnotated'
      ]
    }
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 60 // what is told later than half an hour after it was said counts for nothing
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
output eventSubscriptionId string = subscribed.id
