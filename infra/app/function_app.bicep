// The Functions app on Flex Consumption with the custom runtime: the host that runs `lifeboat-handler`.
// Its one identity is the user-assigned one given; there is no secret in any setting.

@description('Name of the app, unique in the world: it becomes <name>.azurewebsites.net.')
@minLength(2)
@maxLength(60)
param name string

@description('Region.')
param location string

@description('Tags on everything here.')
param tags { *: string }

@description('Name of the user-assigned identity, in this resource group.')
param identityName string

@description('Name of the storage account of host, package and store.')
param storageAccountName string

@description('URL of the container that the platform deploys from.')
param packageUrl string

@description('Name of the Application Insights component, in this resource group.')
param insightsName string

@description('What the handler is told; see "Settings" in infra/README.md.')
param handler {
  deployment: string
  storeUrl: string
  ownedRegions: string[]
  subscriptions: string[]
  serviceBusNamespace: string
  eventsUrl: string
  replicationCache: string
  otlpEndpoint: string
  tenantId: string
  audience: string
}

@description('Memory of an instance.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int

@description('Most instances of all functions together.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int

@description('HTTP requests that one instance takes at a time.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int

@description('Subnet that the app sends from, delegated to Microsoft.App/environments. Empty: no virtual network.')
param subnetId string

@description('Addresses or ranges (CIDR) of the operators. Empty: any address may ask, the key or the token decides.')
param operatorAddressRanges string[]

// App Service wants CIDR even for one address, storage refuses /32: the parameter has the short form, this line makes the long one.
var operators = [for range in operatorAddressRanges: contains(range, '/') ? range : '${range}/32']
var restricted = !empty(operators)

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: '${name}-plan'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    tier: 'FlexConsumption'
    name: 'FC1'
  }
  properties: {
    reserved: true // Linux
  }
}

// Read by the host. The connection prefixes (AzureWebJobsStorage, ServiceBus) with `__credential` mean: no key, this identity.
var hostSettings = [
  { name: 'AzureWebJobsStorage__accountName', value: storageAccountName }
  { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }
  { name: 'AzureWebJobsStorage__clientId', value: identity.properties.clientId }
  { name: 'ServiceBus__fullyQualifiedNamespace', value: handler.serviceBusNamespace } // the handler reads this one too
  { name: 'ServiceBus__credential', value: 'managedidentity' }
  { name: 'ServiceBus__clientId', value: identity.properties.clientId }
  { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: insights.properties.ConnectionString } // and this one
  {
    name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING'
    value: 'ClientId=${identity.properties.clientId};Authorization=AAD'
  }
]

// Read by the handler alone. LIFEBOAT_ARM_URL and LIFEBOAT_SERVICEBUS_URL are for the simulator and stay unset here.
var handlerSettings = [
  { name: 'LIFEBOAT_DEPLOYMENT', value: handler.deployment }
  { name: 'LIFEBOAT_STORE_URL', value: handler.storeUrl }
  { name: 'LIFEBOAT_OWNED_REGIONS', value: join(handler.ownedRegions, ',') }
  { name: 'LIFEBOAT_REGION', value: location }
  { name: 'LIFEBOAT_SUBSCRIPTIONS', value: join(handler.subscriptions, ',') }
  { name: 'LIFEBOAT_REPLICATION_CACHE', value: handler.replicationCache }
  { name: 'AZURE_CLIENT_ID', value: identity.properties.clientId }
]

var eventSettings = empty(handler.eventsUrl) ? [] : [{ name: 'LIFEBOAT_EVENTS_URL', value: handler.eventsUrl }]
// Whose persons read and give orders with a name, and the application that their tokens are for.
var authoritySettings = [
  { name: 'LIFEBOAT_TENANT_ID', value: handler.tenantId }
  { name: 'LIFEBOAT_AUDIENCE', value: handler.audience }
]

var otlpSettings = empty(handler.otlpEndpoint)
  ? []
  : [{ name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: handler.otlpEndpoint }]

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    keyVaultReferenceIdentity: identity.id
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    publicNetworkAccess: 'Enabled' // Event Grid delivers to the app's public address; closed, no event would arrive
    functionAppConfig: {
      runtime: {
        name: 'custom'
        version: '1.0' // the platform's samples for custom handlers on this plan give 1.0; nothing depends on it
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identity.id
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        triggers: { http: { perInstanceConcurrency: httpConcurrency } }
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ipSecurityRestrictionsDefaultAction: restricted ? 'Deny' : 'Allow'
      ipSecurityRestrictions: restricted
        ? concat(
            [{ name: 'event-grid', tag: 'ServiceTag', ipAddress: 'AzureEventGrid', action: 'Allow', priority: 100 }],
            map(operators, (range, i) => {
              name: 'operators-${i}'
              tag: 'Default'
              ipAddress: range
              action: 'Allow'
              priority: 200 + i
            })
          )
        : []
      scmIpSecurityRestrictionsUseMain: true
      appSettings: concat(hostSettings, handlerSettings, eventSettings, authoritySettings, otlpSettings)
    }
  }
}

// Publishing is done with an Entra token; the two passwords that every site is born with are off.
resource noScmPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

resource noFtpPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

@description('Name of the app.')
output name string = app.name

@description('Host name of the app.')
output hostName string = app.properties.defaultHostName
