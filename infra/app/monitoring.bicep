// Where logs, traces and metrics go, and the one alarm of this stage: a message that nobody could handle.

@description('Name of the Log Analytics workspace.')
param workspaceName string

@description('Name of the Application Insights component.')
param insightsName string

@description('Name of the alert on dead letters.')
param alertName string

@description('Region.')
param location string

@description('Tags on everything here.')
param tags { *: string }

@description('Days that telemetry is kept.')
@minValue(30)
@maxValue(730)
param retentionDays int

@description('Most gigabytes a day that are taken in; above it the rest of the day is dropped. A limit on cost.')
@minValue(1)
param dailyQuotaGb int

@description('Whether telemetry is also taken with the connection string alone, without an Entra token.')
param localAuth bool

@description('Resource id of the Service Bus namespace that is watched.')
param serviceBusId string

@description('Action groups that are told of dead letters. Empty: the alert is only seen in the portal.')
param actionGroupIds string[]

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    workspaceCapping: { dailyQuotaGb: dailyQuotaGb }
    features: { disableLocalAuth: true } // nobody writes with the workspace's own key: everything comes through Application Insights
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: insightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    IngestionMode: 'LogAnalytics'
    DisableLocalAuth: !localAuth
    DisableIpMasking: false
  }
}

resource deadLetterAlert 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: alertName
  location: 'global'
  tags: tags
  properties: {
    description: 'A message of Lifeboat could not be handled and lies in a dead-letter queue. See infra/README.md, "Dead letters".'
    severity: 2
    enabled: true
    scopes: [serviceBusId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'dead-letters'
          metricNamespace: 'Microsoft.ServiceBus/namespaces'
          metricName: 'DeadletteredMessages'
          dimensions: [{ name: 'EntityName', operator: 'Include', values: ['*'] }]
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Maximum'
        }
      ]
    }
    // The rule takes the loop's variable for a made-up id; it is an element of a parameter.
    #disable-next-line use-resource-id-functions
    actions: [for id in actionGroupIds: { actionGroupId: id }]
  }
}

@description('Resource id of the Application Insights component.')
output insightsId string = insights.id
