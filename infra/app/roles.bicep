// What Lifeboat may do to machines and vaults: custom roles, defined and assigned in one subscription. Their actions are not written here:
// role-actions.json is drawn from the handler's one table of calls and rights (a test holds it to that), with the calls that each action is
// for, and the entry of `lifeboat evidence` where ARM checks it besides. No built-in role short of Contributor may make restore points.

targetScope = 'subscription'

@description('Id of the deployment; part of the roles\' names.')
param deployment string

@description('Resource id of the identity that gets the roles; the assignments are named after it.')
param identityId string

@description('Object id of the same identity.')
param principalId string

@description('Which roles it gets.')
param roles ('points' | 'snapshots' | 'vaults' | 'recovery' | 'failover')[]

var about = {
  points: 'Lets Lifeboat read machines, and make and delete restore points. Made by infra/app/roles.bicep.'
  snapshots: 'Lets Lifeboat make and delete snapshots of disks. Made by infra/app/roles.bicep.'
  recovery: 'Lets Lifeboat read how resources and regions are. Made by infra/app/roles.bicep.'
  vaults: 'Lets Lifeboat protect machines in vaults and back them up. Made by infra/app/roles.bicep.'
  failover: 'Lets Lifeboat fail machines over, stop and start the old ones, and move traffic. Made by infra/app/roles.bicep.'
}

var given = filter(loadJsonContent('role-actions.json'), role => contains(roles, role.name))

resource definition 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [
  for role in given: {
    name: guid(subscription().id, deployment, 'lifeboat', role.name)
    properties: {
      roleName: 'Lifeboat ${deployment} ${role.name} (${subscription().subscriptionId})' // names are unique in the whole tenant
      description: about[role.name]
      type: 'CustomRole'
      assignableScopes: [subscription().id]
      permissions: [
        {
          actions: map(role.actions, entry => entry.action)
          notActions: []
          dataActions: []
          notDataActions: []
        }
      ]
    }
  }
]

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (role, i) in given: {
    name: guid(definition[i].id, identityId)
    properties: {
      roleDefinitionId: definition[i].id
      principalId: principalId
      principalType: 'ServicePrincipal' // says that it may not be in the directory's copy yet, so that the assignment does not fail
    }
  }
]

@description('Resource ids of the roles.')
output roleIds string[] = [for (role, i) in given: definition[i].id]
