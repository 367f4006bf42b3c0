// Lets Service Health tell the function RegionAlert of incidents of one Azure subscription: an action group that posts the common alert
// schema, and the rule that fires it. A deployment of its own, after the app is published, once per subscription in scope, in a resource
// group of it, where recovery plans are in force. Metric and log rules of a workload name the same action group.

@description('Resource id of the Functions app.')
param functionAppId string

@description('The address of the function with its key: https://<host name>/api/RegionAlert?code=<key>. It is stored in the action group; a new key needs a new deployment.')
@secure()
param regionAlertUrl string

@description('Name of the action group and of the rule.')
@minLength(3)
@maxLength(60)
param name string = 'lifeboat-region-alert'

@description('Tags on both.')
param tags { *: string } = {}

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: name
  location: 'Global'
  tags: tags
  properties: {
    groupShortName: 'lifeboat'
    enabled: true
    azureFunctionReceivers: [
      {
        name: 'RegionAlert'
        functionAppResourceId: functionAppId
        functionName: 'RegionAlert'
        httpTriggerUrl: regionAlertUrl
        useCommonAlertSchema: true // another schema is kept as it came and counts for nothing
      }
    ]
  }
}

resource rule 'Microsoft.Insights/activityLogAlerts@2020-10-01' = {
  name: name
  location: 'Global'
  tags: tags
  properties: {
    description: 'Incidents of Azure are told to Lifeboat. See infra/README.md, "Regions".'
    enabled: true
    scopes: [subscription().id]
    condition: {
      allOf: [
        { field: 'category', equals: 'ServiceHealth' }
        { field: 'properties.incidentType', equals: 'Incident' }
      ]
    }
    actions: { actionGroups: [{ actionGroupId: group.id }] }
  }
}

@description('Resource id of the action group, for metric and log rules.')
output actionGroupId string = group.id
