// The one storage account: the Functions host's own blobs, the deployed package, Lifeboat's store and the dead letters of Event Grid.
// It has no keys: every reader and writer shows an Entra token. It never holds a recovery point.

@description('Name of the account: 3 to 24 lower-case letters and digits, unique in the world.')
@minLength(3)
@maxLength(24)
param name string

@description('Region.')
param location string

@description('Tags on everything here.')
param tags { *: string }

@description('Subnet whose traffic is let in. Empty: no network rule, the token alone decides.')
param subnetId string

@description('Addresses or ranges (CIDR) of the operators, let in beside the subnet.')
param operatorAddressRanges string[]

@description('Days in which a deleted or overwritten blob, or a deleted container, can be brought back.')
@minValue(7)
@maxValue(365)
param softDeleteDays int

// The names are fixed: LIFEBOAT_STORE_URL, the app's deployment and the event subscription are made from the outputs below.
var storeContainer = 'lifeboat'
var packageContainer = 'app-package'
var deadLetterContainer = 'event-dead-letters'

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    // The region's zones hold a copy each; a second region is not needed, since each region has a deployment of its own.
    // A region without zones needs Standard_LRS here.
    name: 'Standard_ZRS'
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false // no key, hence no SAS signed by a key: Entra tokens only
    defaultToOAuthAuthentication: true
    isLocalUserEnabled: false
    minimumTlsVersion: 'TLS1_2'
    publicNetworkAccess: 'Enabled' // 'Disabled' needs private endpoints, which this template does not make
    supportsHttpsTrafficOnly: true
    networkAcls: {
      // Trusted Azure services pass: Event Grid writes its dead letters with the system topic's identity.
      bypass: 'AzureServices'
      defaultAction: empty(subnetId) ? 'Allow' : 'Deny'
      virtualNetworkRules: empty(subnetId) ? [] : [{ id: subnetId, action: 'Allow' }]
      ipRules: [for range in operatorAddressRanges: { value: range, action: 'Allow' }]
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: true
    deleteRetentionPolicy: { enabled: true, days: softDeleteDays }
    containerDeleteRetentionPolicy: { enabled: true, days: softDeleteDays }
  }
}

resource store 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: blobs
  name: storeContainer
  properties: { publicAccess: 'None' }
}

resource package 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: blobs
  name: packageContainer
  properties: { publicAccess: 'None' }
}

resource deadLetters 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: blobs
  name: deadLetterContainer
  properties: { publicAccess: 'None' }
}

// Versions are for what people lose by accident. What is rewritten every few minutes would only pile up: the host's own blobs
// (locks, timer status) and the mark of the last sweep. The ledger and the policy documents are in no rule: all their versions stay.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-01-01' = {
  parent: account
  name: 'default'
  dependsOn: [blobs] // rules on versions are refused before versioning is on (assumed; the order costs nothing)
  properties: {
    policy: {
      rules: [
        {
          name: 'old-versions-of-what-is-rewritten'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: ['azure-webjobs-hosts/', '${storeContainer}/sweeps/', '${storeContainer}/leases/']
            }
            actions: {
              version: { delete: { daysAfterCreationGreaterThan: 7 } }
            }
          }
        }
      ]
    }
  }
}

@description('URL of the container that is Lifeboat\'s store.')
output storeUrl string = '${account.properties.primaryEndpoints.blob}${store.name}'

@description('Name of the container that is Lifeboat\'s store.')
output storeContainer string = store.name

@description('URL of the container that the platform deploys from.')
output packageUrl string = '${account.properties.primaryEndpoints.blob}${package.name}'

@description('Name of the container for events that could not be delivered.')
output deadLetterContainer string = deadLetters.name
